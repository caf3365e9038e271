using System.Text.RegularExpressions;

namespace Dbos.Api.Tests.Hosting;

/// <summary>The scripts that test DBOS are not misled by the settings of whoever runs them.</summary>
public sealed partial class UnsetSettingsTests
{
    [Fact]
    public void Every_setting_is_unset_before_servers_are_tested()
    {
        var build = Path.Combine(ProductFiles.Repository, "build");
        var settings = SettingRead().Matches(File.ReadAllText(Path.Combine(ProductFiles.Repository, "src", "Dbos.Api", "Hosting", "Settings.cs")))
            .Select(read => read.Groups[1].Value).Distinct().ToArray();

        settings.Should().HaveCountGreaterThan(15);
        File.ReadAllText(Path.Combine(build, "unset_settings.sh")).Split().Should().Contain(settings).And.Contain("\"${!OTEL_@}\"");
        foreach (var script in (string[])["test.sh", "chaos.sh"])
        {
            File.ReadAllText(Path.Combine(build, script)).Should().Contain("source build/unset_settings.sh\n");
        }
    }

    [GeneratedRegex(@"\b(?:Text|Number|Seconds)\(""([A-Z_]+)""")]
    private static partial Regex SettingRead();
}

using System.Reflection;

namespace Dbos.Infrastructure.Redis;

/// <summary>The scripts of this folder, each with its contract in its head.</summary>
internal static class Script
{
    public static readonly string Commit = Load("commit");
    public static readonly string Take = Load("take");
    public static readonly string Append = Load("append");
    public static readonly string Layout = Load("layout");
    public static readonly string Probe = Load("probe");

    private static string Load(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{name}.lua")
            ?? throw new InvalidOperationException($"script {name}.lua is not embedded");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

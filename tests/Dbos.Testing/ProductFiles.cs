namespace Dbos.Testing;

/// <summary>Where the product lies beside the tests that run.</summary>
public static class ProductFiles
{
    public static string Repository { get; } = FindRepository();

    /// <summary>Dbos.Api as it was built last, in the tests' own configuration.</summary>
    public static string ApiAssembly
    {
        get
        {
            // …/bin/<configuration>/net10.0/
            var target = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
            return Path.Combine(Repository, "src", "Dbos.Api", "bin", target.Parent!.Name, target.Name, "Dbos.Api.dll");
        }
    }

    private static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Dbos.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException($"no Dbos.sln above {AppContext.BaseDirectory}");
        }

        return folder.FullName;
    }
}

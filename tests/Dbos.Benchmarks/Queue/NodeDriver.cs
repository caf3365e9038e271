using System.ComponentModel;
using System.Globalization;
using Dbos.Testing;

namespace Dbos.Benchmarks.Queue;

/// <summary>A job queue in a Node.js process of its own, which measures its own loads and is controlled over HTTP.</summary>
internal sealed class NodeDriver : IAsyncDisposable
{
    private static readonly TimeSpan InstallPatience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);
    private static readonly string Folder = Path.Combine(ProductFiles.Repository, "tests", "Dbos.Benchmarks", "node");

    /// <summary>One installation serves all drivers of this process.</summary>
    private static Task? installed;

    private readonly HttpClient http;

    private NodeDriver(ChildProcess process, int port)
    {
        Process = process;
        http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
    }

    public ChildProcess Process { get; }

    /// <summary>Installs the packages of package-lock.json and starts one of the scripts.</summary>
    /// <param name="serverPort">Port of the server that keeps the jobs.</param>
    /// <exception cref="MissingToolException">Node.js, npm or a package is not available.</exception>
    public static async Task<NodeDriver> Start(string script, int serverPort, string payload)
    {
        await (installed ??= Install());
        var port = FreePort.Find();
        var driver = new NodeDriver(Launch("node", script, Text(port), Text(serverPort), payload), port);
        try
        {
            await Eventually.True(driver.Answers, StartPatience, $"{script} answers");
            return driver;
        }
        catch
        {
            await driver.DisposeAsync();
            throw;
        }
    }

    /// <summary>The versions of the job queue and of what it runs on.</summary>
    public Task<string> Version() => Post("/version");

    /// <returns>Jobs a second.</returns>
    public async Task<double> Run(int jobs, string action) => jobs / double.Parse(await Post(action), CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await Process.DisposeAsync();
    }

    private static async Task Install()
    {
        await using var npm = Launch("npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund");
        if (await npm.WaitForExit(InstallPatience) != 0)
        {
            throw new MissingToolException($"npm ci failed in {Path.GetRelativePath(ProductFiles.Repository, Folder)}: {npm.ErrorOutput.Split('\n')[0]}");
        }
    }

    private static ChildProcess Launch(string tool, params string[] arguments)
    {
        try
        {
            return ChildProcess.Start(tool, arguments, folder: Folder);
        }
        catch (Win32Exception)
        {
            throw MissingToolException.Of(tool, "nodejs npm");
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task<bool> Answers()
    {
        if (Process.HasExited)
        {
            throw new InvalidOperationException($"The Node.js process ended at once: {Process.Output}");
        }

        try
        {
            await Version();
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task<string> Post(string action)
    {
        using var answer = await http.PostAsync(action, content: null);
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? text : throw new InvalidOperationException($"{action}: {text}");
    }
}

/// <summary>A program or package that a benchmark needs is not available.</summary>
internal sealed class MissingToolException(string reason) : Exception(reason)
{
    public static MissingToolException Of(string tool, string debianPackages) =>
        new($"{tool} is not on the PATH (Debian: apt-get install {debianPackages})");
}

using System.ComponentModel;
using System.Globalization;
using Dbos.Testing;

namespace Dbos.Benchmarks;

/// <summary>BullMQ in a Node.js process of its own: its jobs a second as it tells them itself.</summary>
internal sealed class BullMq : IAsyncDisposable
{
    private static readonly TimeSpan InstallPatience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);
    private static readonly string Folder = Path.Combine(ProductFiles.Repository, "tests", "Dbos.Benchmarks", "bullmq");

    private readonly HttpClient http;

    private BullMq(ChildProcess process, int port)
    {
        Process = process;
        http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
    }

    public ChildProcess Process { get; }

    /// <summary>Installs what package-lock.json names, and starts it.</summary>
    /// <exception cref="MissingToolException">Node.js or npm is not there.</exception>
    public static async Task<BullMq> Start(RedisServer redis, string payload)
    {
        await Finish("npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund");
        var port = FreePort.Find();
        var process = Launch("node", "server.js", Text(port), Text(redis.Port), payload);
        var bullMq = new BullMq(process, port);
        try
        {
            await Eventually.True(bullMq.Answers, StartPatience, "BullMQ's process answers");
            return bullMq;
        }
        catch
        {
            await bullMq.DisposeAsync();
            throw;
        }
    }

    /// <summary>Its version and that of Node.js.</summary>
    public Task<string> Version() => Post("/version");

    public Task<double> Add(int jobs, int inFlight) => PerSecond(jobs, $"/add?jobs={jobs}&inFlight={inFlight}");

    public Task<double> AddBulk(int jobs, int size, int inFlight) =>
        PerSecond(jobs, $"/addBulk?jobs={jobs}&size={size}&inFlight={inFlight}");

    /// <param name="keep">Whether completed jobs are kept, as is BullMQ's default.</param>
    public Task<double> Work(int jobs, int concurrency, bool keep) =>
        PerSecond(jobs, $"/process?jobs={jobs}&concurrency={concurrency}&keep={(keep ? "true" : "false")}");

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await Process.DisposeAsync();
    }

    private static async Task Finish(string tool, params string[] arguments)
    {
        await using var run = Launch(tool, arguments);
        if (await run.WaitForExit(InstallPatience) != 0)
        {
            throw new InvalidOperationException($"{tool} {string.Join(' ', arguments)} failed in {Folder}: {run.Output}");
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
            throw new MissingToolException(tool);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task<bool> Answers()
    {
        if (Process.HasExited)
        {
            throw new InvalidOperationException($"BullMQ's process ended at once: {Process.Output}");
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

    private async Task<double> PerSecond(int jobs, string action) =>
        jobs / double.Parse(await Post(action), CultureInfo.InvariantCulture);

    private async Task<string> Post(string action)
    {
        using var answer = await http.PostAsync(action, content: null);
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? text : throw new InvalidOperationException($"BullMQ {action}: {text}");
    }
}

/// <summary>A program that a benchmark needs is not on the PATH.</summary>
internal sealed class MissingToolException(string tool) : Exception($"{tool} is not on the PATH");

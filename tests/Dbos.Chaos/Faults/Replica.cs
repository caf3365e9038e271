namespace Dbos.Chaos.Faults;

/// <summary>A DBOS behind a proxy of its own, with a clock of its own.</summary>
internal sealed class Replica : IAsyncDisposable
{
    /// <summary>Of Debian's package, in the folder of whichever architecture.</summary>
    private static readonly string FakeTime =
        Directory.EnumerateDirectories("/usr/lib").Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException("libfaketime is not installed");

    private readonly string skewFile;

    private Replica(DbosServer server, string skewFile)
    {
        this.skewFile = skewFile;
        Server = server;
        Proxy = new TcpProxy(server.Port);
    }

    public DbosServer Server { get; }

    /// <summary>Clients come through it.</summary>
    public TcpProxy Proxy { get; }

    /// <param name="skewFile">Where it is told how wrong its clock is.</param>
    public static async Task<Replica> Start(string redis, string durability, string skewFile)
    {
        Skew(skewFile, TimeSpan.Zero);
        var server = await DbosServer.Start(new Dictionary<string, string>
        {
            ["REDIS_ADDR"] = redis,
            ["DURABILITY"] = durability,

            // Nothing that the checker needs is purged or trimmed, and no fault makes a dead letter.
            ["EVENT_RETENTION"] = "10000000",
            ["COMPLETED_TASK_RETENTION_SECONDS"] = "86400",
            ["MAX_EXPIRIES"] = "1000",
            ["LD_PRELOAD"] = FakeTime,
            ["FAKETIME_TIMESTAMP_FILE"] = skewFile,
            ["FAKETIME_CACHE_DURATION"] = "1",
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",

            // Else every timed wait in the process is busy.
            ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
        });
        return new Replica(server, skewFile);
    }

    /// <summary>Its wall clock is off by this from now on, also when it is started again.</summary>
    public void Skew(TimeSpan by) => Skew(skewFile, by);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Proxy.DisposeAsync();
    }

    private static void Skew(string file, TimeSpan by) => File.WriteAllText(file, FormattableString.Invariant($"{by.TotalSeconds:+0;-0;+0}s\n"));
}

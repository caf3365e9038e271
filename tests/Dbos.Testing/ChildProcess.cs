using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Dbos.Testing;

/// <summary>A process that a test started: its output is kept, and it is ended by its id, never by its name.</summary>
public sealed partial class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(15);

    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly StringBuilder errorOutput = new();

    private ChildProcess(Process process) => this.process = process;

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    public int ExitCode => process.ExitCode;

    /// <summary>What it printed so far, both streams.</summary>
    public string Output => Kept(output);

    /// <summary>What it printed so far on its error stream.</summary>
    public string ErrorOutput => Kept(errorOutput);

    public static ChildProcess Start(
        string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? string.Empty,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var child = new ChildProcess(new Process { StartInfo = start });
        child.process.OutputDataReceived += (_, line) => child.Keep(line.Data);
        child.process.ErrorDataReceived += (_, line) => child.Keep(line.Data, child.errorOutput);
        child.process.Start();
        child.process.BeginOutputReadLine();
        child.process.BeginErrorReadLine();
        return child;
    }

    public void Signal(UnixSignal signal)
    {
        if (!process.HasExited && SendSignal(process.Id, (int)signal) != 0)
        {
            throw new InvalidOperationException($"signal {signal} could not be sent to process {process.Id}");
        }
    }

    /// <exception cref="TimeoutException">It is still running then.</exception>
    public async Task<int> WaitForExit(TimeSpan patience)
    {
        await process.WaitForExitAsync().WaitAsync(patience);
        return process.ExitCode;
    }

    /// <summary>kill -9, and wait until it is gone.</summary>
    public async Task Kill()
    {
        Signal(UnixSignal.Kill);
        await WaitForExit(EndPatience);
    }

    public async ValueTask DisposeAsync()
    {
        await Kill();
        process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);

    /// <param name="line">Null: the stream has ended.</param>
    private void Keep(string? line, StringBuilder? alsoIn = null)
    {
        if (line is null)
        {
            return;
        }

        lock (output)
        {
            output.AppendLine(line);
            alsoIn?.AppendLine(line);
        }
    }

    private string Kept(StringBuilder lines)
    {
        lock (output)
        {
            return lines.ToString();
        }
    }
}

/// <summary>The numbers of Linux.</summary>
public enum UnixSignal
{
    Kill = 9,
    Terminate = 15,
    Continue = 18,
    Stop = 19,
}

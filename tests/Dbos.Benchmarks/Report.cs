using System.Diagnostics;
using System.Globalization;
using System.Text;
using Dbos.Testing;

namespace Dbos.Benchmarks;

/// <summary>The output of one benchmark: it goes to the console at once, and to a file on request.</summary>
internal sealed class Report(string benchmark)
{
    private readonly StringBuilder text = new();

    public void Say(FormattableString line) => Say(line.ToString(CultureInfo.InvariantCulture));

    public void Say(string line)
    {
        Console.WriteLine($"{line}\n");
        text.Append(line).Append("\n\n");
    }

    public void Print(Table table)
    {
        Console.WriteLine(table);
        text.Append(table).Append('\n');
    }

    /// <summary>Writes a Markdown file named by benchmark and date.</summary>
    public async Task Save(string folder)
    {
        var date = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var head = $"""
            # {benchmark}

            - date: {date}
            - commit: {await Commit()}
            - machine: {Machine.Description()}


            """;
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, $"{benchmark}-{date}.md"), $"{head}{text.ToString().TrimEnd()}\n");
    }

    private static async Task<string> Commit()
    {
        try
        {
            var commit = await Git("rev-parse", "--short=12", "HEAD");
            return (await Git("status", "--porcelain", "--untracked-files=no")).Length == 0 ? commit : $"{commit} with uncommitted changes";
        }
        catch (Exception unknown) when (unknown is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            return $"unknown: {unknown.Message}";
        }
    }

    private static async Task<string> Git(params string[] arguments)
    {
        using var git = Process.Start(new ProcessStartInfo("git", arguments)
        {
            RedirectStandardOutput = true,
            WorkingDirectory = ProductFiles.Repository,
        })!;
        var answer = await git.StandardOutput.ReadToEndAsync();
        await git.WaitForExitAsync();
        return git.ExitCode == 0 ? answer.Trim() : throw new InvalidOperationException($"git {arguments[0]} failed");
    }
}

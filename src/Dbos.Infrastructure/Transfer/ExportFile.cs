using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Dbos.Infrastructure.Store;

namespace Dbos.Infrastructure.Transfer;

/// <summary>An export as a file: JSON lines, compressed with gzip, from a <see cref="HeadLine"/> to an <see cref="EndLine"/>.</summary>
internal sealed class ExportFile(string path)
{
    private const int BufferSize = 1 << 20;

    /// <summary>Of the lines as they are in the file, once it was read to its end: it names the file in a store that is being moved.</summary>
    public string Digest { get; private set; } = string.Empty;

    /// <summary>The file has its name only when all of it is on the disk and was read back from there.</summary>
    public async Task<Tally> Write(IAsyncEnumerable<ExportLine> lines, DateTimeOffset now)
    {
        var part = new ExportFile($"{path}.part");
        var written = await part.WriteLines(lines, now);
        var read = await part.ReadWhole();
        if (read.Digest != written.Digest)
        {
            throw new IOException($"{path}.part does not hold what was written to it");
        }

        File.Move($"{path}.part", path, overwrite: true);
        return written;
    }

    /// <exception cref="TransferRefusedException">It is no export, or not a whole one.</exception>
    public async Task<Tally> ReadWhole()
    {
        var tally = new Tally();
        await foreach (var line in ReadLines(tally))
        {
            // It is the tally that is asked for.
        }

        return tally;
    }

    /// <param name="tally">Of the lines read so far.</param>
    /// <exception cref="TransferRefusedException">It is no export, or not a whole one; told at the end, if not before.</exception>
    public async IAsyncEnumerable<ExportLine> ReadLines(Tally tally)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferSize, FileOptions.SequentialScan);
        await using var gzip = new GZipStream(file, CompressionMode.Decompress);
        using var reader = new StreamReader(gzip, Encoding.UTF8, detectEncodingFromByteOrderMarks: false, BufferSize);
        if (await Next(reader) is not HeadLine head)
        {
            throw new TransferRefusedException($"{path} is not an export of DBOS");
        }

        if (head.SchemaVersion is not (StoreLayout.CurrentSchema or Schema2.Version))
        {
            throw new TransferRefusedException(
                $"{path} was exported with schema version {head.SchemaVersion}, which this DBOS does not read: import it with a DBOS that does");
        }

        var written = new Tally();
        var events = new List<ExportLine>();
        ExportLine line;
        while ((line = await Next(reader)) is not EndLine)
        {
            written.Add(line);
            var converted = head.SchemaVersion == Schema2.Version ? Schema2.Convert(line) : line;
            if (converted is EventLine && head.SchemaVersion == Schema2.Version)
            {
                // They come newest first there.
                events.Add(converted);
            }
            else if (converted is not null)
            {
                tally.Add(converted);
                yield return converted;
            }
        }

        Digest = written.Digest;
        if (((EndLine)line).Digest != written.Digest)
        {
            throw new TransferRefusedException($"{path} does not hold what its last line says: it was changed");
        }

        for (var i = events.Count - 1; i >= 0; i--)
        {
            tally.Add(events[i]);
            yield return events[i];
        }
    }

    private async Task<Tally> WriteLines(IAsyncEnumerable<ExportLine> lines, DateTimeOffset now)
    {
        var tally = new Tally();
        await using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, BufferSize);
        await using (var gzip = new GZipStream(file, CompressionLevel.Fastest, leaveOpen: true))
        await using (var buffer = new BufferedStream(gzip, BufferSize))
        {
            Put(new HeadLine(StoreLayout.CurrentSchema, now));
            await foreach (var line in lines)
            {
                tally.Add(line);
                Put(line);
            }

            Put(new EndLine(tally.Counts, tally.Digest));

            void Put(ExportLine line)
            {
                buffer.Write(line.ToUtf8());
                buffer.WriteByte((byte)'\n');
            }
        }

        file.Flush(flushToDisk: true);
        return tally;
    }

    private async Task<ExportLine> Next(StreamReader reader)
    {
        try
        {
            var line = await reader.ReadLineAsync() ?? throw new InvalidDataException("it ends too early");
            return ExportLine.Parse(line);
        }
        catch (Exception error) when (error is InvalidDataException or JsonException)
        {
            throw new TransferRefusedException($"{path} is not a whole export of DBOS: {error.Message}", error);
        }
    }
}

using System.IO.Compression;
using System.Text;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Results;
using Dbos.Infrastructure.Tests.Store;
using Dbos.Infrastructure.Transfer;
using Dbos.Testing;

namespace Dbos.Infrastructure.Tests.Transfer;

public sealed class ExportFileTests : IDisposable
{
    private static readonly ExportLine[] Lines =
    [
        new AgentLine("a\n\"é\"", "h", true, 2, 1, 3, 4, "1:2", Bytes("""{"\u00e9":"\n"}"""), Bytes("{}"), Bytes("[]"), 7),
        new ResultLine(new TransferredResult(Given.Result("1", "a", Bytes("payload \0")).Result!, 456)),
        new MarkLine("mark:X:named:a:1", Bytes("1 abc"), 5_000),
        new CounterLine("done", 9_007_199_254_740_993),
        new EventLine(EventLogName.Refusals, Bytes("""{"id":"1","message":"ж"}""")),
    ];

    private readonly TemporaryFolder folder = new();

    private string Path => System.IO.Path.Combine(folder.Path, "export.gz");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Every_line_is_read_as_it_was_written()
    {
        var written = await new ExportFile(Path).Write(Lines.ToAsyncEnumerable(), DateTimeOffset.UnixEpoch);

        var tally = new Tally();
        var read = await new ExportFile(Path).ReadLines(tally).ToListAsync();

        read.Select(line => Encoding.UTF8.GetString(line.ToUtf8())).Should().Equal(Lines.Select(line => Encoding.UTF8.GetString(line.ToUtf8())));
        read.OfType<AgentLine>().Select(line => Encoding.UTF8.GetString(line.Config.Span))
            .Should().Equal(Lines.OfType<AgentLine>().Select(line => Encoding.UTF8.GetString(line.Config.Span)));
        (tally.Digest, tally.Counts.Count).Should().Be((written.Digest, 5));
        File.Exists($"{Path}.part").Should().BeFalse();
    }

    [Theory]
    [InlineData("nothing", "*is not a whole export*")]
    [InlineData("no gzip", "*is not a whole export*")]
    [InlineData("no head", "*is not an export*")]
    [InlineData("no end", "*is not a whole export*")]
    [InlineData("a line less", "*was changed*")]
    [InlineData("another digit", "*was changed*")]
    [InlineData("another schema version", "*schema version 4*")]
    public async Task A_file_that_was_not_written_so_is_refused(string fault, string sentence)
    {
        await new ExportFile(Path).Write(Lines.ToAsyncEnumerable(), DateTimeOffset.UnixEpoch);
        var lines = await Unzip();
        var faulty = fault switch
        {
            "no head" => lines[1..],
            "no end" => lines[..^1],
            "a line less" => [lines[0], .. lines[2..]],
            "another digit" => [.. lines.Select(line => line.Replace("9007199254740993", "9007199254740992", StringComparison.Ordinal))],
            "another schema version" => [lines[0].Replace("\"schema_version\":3", "\"schema_version\":4", StringComparison.Ordinal), .. lines[1..]],
            _ => [],
        };
        await Zip(faulty);
        if (fault == "no gzip")
        {
            await File.WriteAllTextAsync(Path, "no gzip");
        }

        var read = () => new ExportFile(Path).ReadWhole();

        (await read.Should().ThrowAsync<TransferRefusedException>()).WithMessage(sentence);
    }

    [Fact]
    public async Task A_file_that_was_there_stays_until_the_next_is_whole()
    {
        await new ExportFile(Path).Write(Lines.ToAsyncEnumerable(), DateTimeOffset.UnixEpoch);
        var before = await File.ReadAllBytesAsync(Path);

        var write = () => new ExportFile(Path).Write(Failing(), DateTimeOffset.UnixEpoch);

        await write.Should().ThrowAsync<TimeoutException>();
        (await File.ReadAllBytesAsync(Path)).Should().Equal(before);
    }

    [Fact]
    public void A_tally_does_not_depend_on_order_nor_on_what_is_left_of_a_lifetime_nor_on_a_result_s_place_but_on_all_else()
    {
        var digest = DigestOf(Lines);

        DigestOf([.. Lines.Reverse()]).Should().Be(digest);
        DigestOf([.. Lines.Select(line => line is MarkLine mark ? mark with { Lifetime = 1 } : line)]).Should().Be(digest);
        DigestOf([.. Lines.Select(line => line is MarkLine mark ? mark with { Value = Bytes("2 abc") } : line)]).Should().NotBe(digest);
        DigestOf([.. Lines.Select(line => line is ResultLine result ? new ResultLine(result.Stored with { StoredAt = 1 }) : line)]).Should().Be(digest);
        DigestOf([.. Lines.Select(line => line is AgentLine agent ? agent with { HeardAt = 1 } : line)]).Should().NotBe(digest);
        DigestOf([.. Lines, Lines[^1]]).Should().NotBe(digest);
    }

    private static string DigestOf(params ExportLine[] lines)
    {
        var tally = new Tally();
        Array.ForEach(lines, tally.Add);
        return tally.Digest;
    }

    private static async IAsyncEnumerable<ExportLine> Failing()
    {
        yield return Lines[0];
        await Task.Yield();
        throw new TimeoutException();
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private async Task<string[]> Unzip()
    {
        await using var gzip = new GZipStream(File.OpenRead(Path), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip);
        return (await reader.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private async Task Zip(string[] lines)
    {
        await using var gzip = new GZipStream(File.Create(Path), CompressionLevel.Fastest);
        await gzip.WriteAsync(Bytes(string.Concat(lines.Select(line => $"{line}\n"))));
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Grpc.Core;

namespace Dbos.Api.Tests.Watching;

/// <summary>build/grafana/dashboards/dbos.json asks for nothing that DBOS does not tell.</summary>
[Collection(WatchedServer.Name)]
public sealed partial class DashboardTests(WatchedServer dbos)
{
    /// <summary>Of a failure of the store, which has none here; Prometheus itself adds the other two.</summary>
    private static readonly string[] ToldElsewhere = ["error_type", "instance", "job"];

    /// <summary>The values of labels of which not all are told here; of others they are.</summary>
    private static readonly Dictionary<string, IEnumerable<string>> Known = new()
    {
        ["rpc_response_status_code"] = Enum.GetNames<StatusCode>().Select(JsonNamingPolicy.SnakeCaseUpper.ConvertName),
        ["rpc_method"] = DBOS.Descriptor.Methods.Select(method => $"{DBOS.Descriptor.FullName}/{method.Name}"),
    };

    [Fact]
    public async Task Every_query_asks_for_metrics_and_labels_that_are_exposed()
    {
        var page = await dbos.Page();
        var labelsOf = page.Samples.ToLookup(sample => sample.Name, sample => sample.Labels.Keys);
        var targets = await Targets();

        targets.Should().HaveCountGreaterThan(20);
        foreach (var (_, query, legend) in targets)
        {
            var asked = new PromQl(query);
            asked.Metrics.Should().NotBeEmpty(query).And.BeSubsetOf(labelsOf.Select(metric => metric.Key), query);
            var labels = asked.Metrics.SelectMany(metric => labelsOf[metric].SelectMany(names => names)).Concat(ToldElsewhere).ToHashSet();
            asked.Labels.Should().BeSubsetOf(labels, query);
            LegendLabel().Matches(legend).Select(label => label.Groups[1].Value).Should().BeSubsetOf(asked.Labels, legend);
        }
    }

    [Fact]
    public async Task Every_value_that_a_query_compares_with_is_one_that_there_is()
    {
        var page = await dbos.Page();
        var matchers = (await Targets()).SelectMany(target => new PromQl(target.Query).Matchers).Where(matcher => matcher.Pattern.Length > 0).ToArray();

        matchers.Should().HaveCountGreaterThan(5);
        foreach (var (label, pattern) in matchers)
        {
            var values = Known.GetValueOrDefault(label) ?? page.Samples.Select(sample => sample.Labels.GetValueOrDefault(label)).OfType<string>().Distinct();
            Alternatives().Split(pattern).Should().OnlyContain(one => values.Any(value => Regex.IsMatch(value, $"^(?:{one})$")), $"{label} is compared with {pattern}");
        }
    }

    /// <summary>Not what callers asked wrongly, or had enough of.</summary>
    [Fact]
    public async Task What_is_shown_as_not_answered_is_what_DBOS_could_not_answer()
    {
        var query = (await Targets()).Single(target => target.Title == "Not answered in 5 minutes").Query;

        new PromQl(query).Matchers.Should().ContainSingle().Which.Should().Be(
            ("rpc_response_status_code", "UNKNOWN|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED|INTERNAL|UNAVAILABLE|DATA_LOSS"));
    }

    /// <summary>What an operator has to be shown.</summary>
    [Fact]
    public async Task Every_metric_of_DBOS_is_shown()
    {
        var shown = (await Targets()).SelectMany(target => new PromQl(target.Query).Metrics).ToHashSet();

        (await dbos.Page()).Types.Keys
            .Where(metric => metric.StartsWith("dbos_", StringComparison.Ordinal))
            .Should().BeSubsetOf(shown);
    }

    [Fact]
    public void A_query_is_taken_apart()
    {
        var query = new PromQl("""
            histogram_quantile(0.99, sum by (le, a) (rate(calls_bucket{b!~"x|y{z}", c="by (q)"}[$__rate_interval]))) / on(d) group_left max(depth offset 5m) > 1e3
            """);

        query.Metrics.Should().BeEquivalentTo("calls_bucket", "depth");
        query.Labels.Should().BeEquivalentTo("le", "a", "b", "c", "d");
        query.Matchers.Should().Equal(("b", "x|y{z}"), ("c", "by (q)"));
    }

    private static async Task<(string Title, string Query, string Legend)[]> Targets()
    {
        var file = Path.Combine(ProductFiles.Repository, "build", "grafana", "dashboards", "dbos.json");
        var dashboard = JsonNode.Parse(await File.ReadAllTextAsync(file))!;
        return
        [
            .. from panel in dashboard["panels"]!.AsArray()
               from target in panel!["targets"]?.AsArray() ?? []
               select ((string)panel["title"]!, (string)target!["expr"]!, (string)target["legendFormat"]!),
        ];
    }

    /// <summary>Those within parentheses are left together.</summary>
    [GeneratedRegex(@"\|(?![^(]*\))")]
    private static partial Regex Alternatives();

    [GeneratedRegex(@"\{\{(\w+)\}\}")]
    private static partial Regex LegendLabel();
}

using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Dbos.Api.Tests.Watching;

/// <summary>build/grafana/dashboards/dbos.json asks for nothing that DBOS does not tell.</summary>
[Collection(WatchedServer.Name)]
public sealed partial class DashboardTests(WatchedServer dbos)
{
    /// <summary>Of a failure of the store, which has none here; Prometheus itself adds the other two.</summary>
    private static readonly string[] ToldElsewhere = ["error_type", "instance", "job"];

    [Fact]
    public async Task Every_query_asks_for_metrics_and_labels_that_are_exposed()
    {
        var page = await dbos.Page();
        var labelsOf = page.Samples.ToLookup(sample => sample.Name, sample => sample.Labels.Keys);
        var targets = await Targets();

        targets.Should().HaveCountGreaterThan(20);
        foreach (var (query, legend) in targets)
        {
            var asked = new PromQl(query);
            asked.Metrics.Should().NotBeEmpty(query).And.BeSubsetOf(labelsOf.Select(metric => metric.Key), query);
            var labels = asked.Metrics.SelectMany(metric => labelsOf[metric].SelectMany(names => names)).Concat(ToldElsewhere).ToHashSet();
            asked.Labels.Should().BeSubsetOf(labels, query);
            LegendLabel().Matches(legend).Select(label => label.Groups[1].Value).Should().BeSubsetOf(asked.Labels, legend);
        }
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
    }

    private static async Task<(string Query, string Legend)[]> Targets()
    {
        var file = Path.Combine(ProductFiles.Repository, "build", "grafana", "dashboards", "dbos.json");
        var dashboard = JsonNode.Parse(await File.ReadAllTextAsync(file))!;
        return
        [
            .. from panel in dashboard["panels"]!.AsArray()
               from target in panel!["targets"]?.AsArray() ?? []
               select ((string)target!["expr"]!, (string)target["legendFormat"]!),
        ];
    }

    [GeneratedRegex(@"\{\{(\w+)\}\}")]
    private static partial Regex LegendLabel();
}

using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Text;
using Dbos.Domain.ModuleStates;
using Dbos.Infrastructure.ModuleStates;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using Dbos.Infrastructure.Transfer;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.ModuleStates;

/// <summary>All module states of a store in Redis.</summary>
internal sealed class RedisModuleStateTransfer(RedisPartitions partitions, RedisConnection connection)
    : ISubjectTransfer<StoredModuleState>
{
    private const int MostInOneScript = 100;
    private const int ArgumentsOfState = 8;
    private const string OfRequest = "state:", OfLife = "life:";

    private static readonly Script Put = new("import_module_states");

    public async IAsyncEnumerable<StoredModuleState> Export([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        // A scan may come upon a key twice.
        var seen = new HashSet<UInt128>();
        var scan = new KeyScan(connection);
        string? cursor = null;
        do
        {
            var slice = await scan.Next(connection.Keys.Pattern, cursor, cancellation);
            foreach (var some in slice.Keys.Where(key => seen.Add(XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(key)))).Chunk(MostInOneScript))
            {
                foreach (var state in await Task.WhenAll(some.Select(key => Read(key, cancellation))))
                {
                    if (state is not null)
                    {
                        yield return state;
                    }
                }
            }

            cursor = slice.Next;
        }
        while (cursor is not null);
    }

    public Task Import(IReadOnlyList<StoredModuleState> records, CancellationToken cancellation) =>
        Task.WhenAll(records.GroupBy(record => PartitionOf(record.State)).Select(async partition =>
        {
            // A request's second agent lies elsewhere than its first, so a script must find the first in its place.
            var rounds = partition.GroupBy(record => record.State.RequestId)
                .SelectMany(request => request.Select((record, round) => (record, round: request.Key.Length > 0 ? round : 0)))
                .GroupBy(each => each.round, each => each.record)
                .OrderBy(round => round.Key);
            foreach (var some in rounds.SelectMany(round => round.Chunk(MostInOneScript)))
            {
                var values = partitions.NewWrite(ArgumentsOfState * some.Length);
                foreach (var (state, changedAt) in some)
                {
                    values.Add(Names.Encode(state.RequestId));
                    values.Add(Names.Encode(state.AgentId));
                    values.Add(Names.Encode(state.ModuleName));
                    values.Add(state.Version);
                    values.Add(state.State.Word());
                    values.Add(state.Timestamp);
                    values.Add(changedAt);
                    values.Add(ModuleStateValue.WriteDocument(state.ErrorMessage, state.Details));
                }

                await partitions.Write(Put, partition.Key, values, cancellation);
            }
        }));

    private int PartitionOf(ModuleState state) => partitions.Of(state.RequestId.Length > 0 ? state.RequestId : state.AgentId);

    /// <summary>Null: it is no state, or gone.</summary>
    private async Task<StoredModuleState?> Read(string key, CancellationToken cancellation)
    {
        if (connection.Keys.Read(key) is not { } name || !(IsOf(OfRequest) || IsOf(OfLife)))
        {
            return null;
        }

        var request = IsOf(OfRequest) ? name.Name.Split(':')[1] : string.Empty;
        var value = await partitions.Read(name.Partition, "GET", [(RedisKey)key], cancellation);
        return value.IsNull ? null : new StoredModuleState(ModuleStateValue.Read((byte[])value!, request, out var changedAt), changedAt);

        bool IsOf(string kind) => name.Name.StartsWith(kind, StringComparison.Ordinal);
    }
}

using Dbos.Application;
using Dbos.Application.ModuleStates;
using Dbos.Application.Paging;
using Dbos.Application.Pipeline;
using Dbos.Domain.ModuleStates;
using Dbos.Infrastructure.ModuleStates;
using Dbos.Infrastructure.Redis.Connection;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.ModuleStates;

/// <summary>
/// Module states in Redis, as module_state.lua lays them out. A request's states lie in the partition of its id, a module's own
/// life in that of its agent's id.
/// </summary>
public sealed class RedisModuleStateRepository(RedisPartitions partitions, TimeProvider clock) : IModuleStateRepository
{
    private const int Arguments = 16;

    private static readonly Script Set = new("set_module_state");
    private static readonly Script Get = new("find_module_state");

    private readonly ModuleStateLists lists = new(partitions);

    public async Task<Saved<ModuleState>> Report(ReportedState reported, CommitContext work, CancellationToken cancellation)
    {
        var isLife = reported.RequestId.Length == 0;
        var requestId = Names.Encode(reported.RequestId);
        var values = partitions.NewWrite(Arguments);
        var mark = work.Mark;
        values.Add(mark is null ? RedisValue.EmptyString : Names.Mark(mark.Name));
        values.Add(mark is null ? RedisValue.EmptyString : mark.Content.ToString());
        values.Add(reported, work.Origin);
        var answer = await partitions.Write(Set, partitions.Of(isLife ? reported.AgentId : reported.RequestId), values, cancellation);
        var items = answer.Items.Span;
        switch ((string)items[0]!)
        {
            case "done":
                return new Saved<ModuleState>.Done((long)items[1]);
            case "mark":
                return new Saved<ModuleState>.Replayed(MarkValue.Read((byte[])items[1]!, mark!.Content));
            case "found":
                var found = items[1].IsNull ? null : ModuleStateValue.Read((byte[])items[1]!, requestId, out _);
                return answer.MayHaveRunBefore && !IsReplay(found, reported)
                    ? throw new StoreUnavailableException("whether a reported state was stored is unknown, as others wrote after it")
                    : new Saved<ModuleState>.Conflict(found);
            case var unknown:
                throw new InvalidOperationException($"unknown answer of {Set.Name}: {unknown}");
        }
    }

    public async Task<ModuleState?> Find(string requestId, string agentId, CancellationToken cancellation)
    {
        var request = Names.Encode(requestId);
        var value = await partitions.Read(Get, partitions.Of(requestId), [request, Names.Encode(agentId)], cancellation);
        return value.IsNull ? null : ModuleStateValue.Read((byte[])value!, request, out _);
    }

    public async Task<Page<ModuleState>> List(StateFilter filter, PageRequest page, CancellationToken cancellation)
    {
        var items = new ModuleStatePage(filter, page);
        if (filter.RequestId.Length == 0 || !await FindOnly(filter, items, cancellation))
        {
            await lists.Read(filter, items, cancellation);
        }

        return items.End();
    }

    /// <summary>The one state of a request on one agent, or the only one of a request, which no sorted set holds.</summary>
    private async Task<bool> FindOnly(StateFilter filter, ModuleStatePage items, CancellationToken cancellation)
    {
        if (filter.AgentId.Length == 0 && await lists.HasSeveralAgents(filter.RequestId, cancellation))
        {
            return false;
        }

        if (items.After is null)
        {
            items.Add(await Find(filter.RequestId, filter.AgentId, cancellation), PageCursor.Start);
        }

        return true;
    }

    private bool IsReplay(ModuleState? found, ReportedState reported) =>
        ModuleState.Report(found, reported, clock.GetUtcNow()) is { IsRefused: false, Value.IsReplay: true };
}

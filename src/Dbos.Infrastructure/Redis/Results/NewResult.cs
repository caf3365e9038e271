using Dbos.Application.Pipeline;
using Dbos.Domain.Audit;
using Dbos.Domain.Results;
using Dbos.Infrastructure.Events;
using Dbos.Infrastructure.Store;
using StackExchange.Redis;

namespace Dbos.Infrastructure.Redis.Results;

/// <summary>The arguments that new_result.lua reads.</summary>
internal static class NewResult
{
    public static void Add(this List<RedisValue> values, MeasurementResult result, AuditEvent stored, Origin origin)
    {
        values.Add(Names.Encode(result.Id));
        values.Add(Names.Encode(result.AgentId));
        values.Add(ResultValue.Write(result));
        values.Add(EventWriter.Body(stored, origin));
    }
}

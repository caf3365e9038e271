using System.Runtime.CompilerServices;
using Dbos.Api.Hosting;
using Dbos.Application.Tasks;
using Dbos.Wire;
using Grpc.Core;
using Microsoft.AspNetCore.RateLimiting;
using Inconsistency = Dbos.Wire.Inconsistency;

namespace Dbos.Api.Services;

public sealed partial class DbosService
{
    [EnableRateLimiting(Overload.Searches)]
    public override async System.Threading.Tasks.Task CheckConsistency(
        CheckConsistencyRequest request, IServerStreamWriter<CheckConsistencyResponse> responseStream, ServerCallContext context)
    {
        var answer = await Ask(new CheckConsistency(request.Repair), context);
        if (answer.Refusal is { } refusal)
        {
            await responseStream.WriteAsync(new CheckConsistencyResponse { Error = refusal.Sentence, Code = Code(refusal), Done = true });
            return;
        }

        await Stream(Replies(answer.Value), responseStream, reply => reply, nameof(CheckConsistency), context);
    }

    private static async IAsyncEnumerable<CheckConsistencyResponse> Replies(
        IAsyncEnumerable<ConsistencySlice> slices, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        long looked = 0;
        await foreach (var slice in slices.WithCancellation(cancellation))
        {
            looked += slice.Checked;
            yield return new CheckConsistencyResponse
            {
                Checked = looked,
                Inconsistencies =
                {
                    slice.Inconsistencies.Select(found => new Inconsistency
                    {
                        TaskId = found.TaskId, Description = found.Description, Repaired = found.Repaired,
                    }),
                },
            };
        }

        yield return new CheckConsistencyResponse { Checked = looked, Done = true };
    }
}

using System.Diagnostics;
using Dbos.Application.Tasks;
using Dbos.Wire;
using Grpc.Core;
using Microsoft.AspNetCore.RateLimiting;
using Inconsistency = Dbos.Wire.Inconsistency;

namespace Dbos.Api.Services;

public sealed partial class DbosService
{
    [DisableRateLimiting]
    public override async System.Threading.Tasks.Task CheckConsistency(
        CheckConsistencyRequest request, IServerStreamWriter<CheckConsistencyResponse> responseStream, ServerCallContext context)
    {
        var answer = await Ask(new CheckConsistency(request.Repair), context);
        if (answer.Refusal is { } refusal)
        {
            await responseStream.WriteAsync(new CheckConsistencyResponse { Error = refusal.Sentence, Code = Code(refusal), Done = true });
            return;
        }

        long looked = 0;
        await Told(
            async () =>
            {
                // It asks the store a few things for each of perhaps a million tasks: no spans of these.
                Activity.Current = null;
                await foreach (var slice in answer.Value.WithCancellation(context.CancellationToken))
                {
                    looked += slice.Checked;
                    await responseStream.WriteAsync(new CheckConsistencyResponse
                    {
                        Checked = looked,
                        Inconsistencies =
                        {
                            slice.Inconsistencies.Select(found => new Inconsistency
                            {
                                TaskId = found.TaskId, Description = found.Description, Repaired = found.Repaired,
                            }),
                        },
                    });
                }

                await responseStream.WriteAsync(new CheckConsistencyResponse { Checked = looked, Done = true });
                return true;
            },
            nameof(CheckConsistency),
            context);
    }
}

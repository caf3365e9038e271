using System.Data.Common;
using Dbos.Domain.Answers;
using MediatR;
using Microsoft.Data.Sqlite;
using StackExchange.Redis;

// One violation of each rule, and what only looks like one. Nothing runs them.
namespace Dbos.Architecture.Tests.Planted.Package
{
    internal sealed class TakesAPackage
    {
        public static string Publish(INotification told) => told.ToString()!;
    }

    internal sealed class ListsAPackage
    {
        private readonly List<INotification> told = [];

        public int Count => told.Count;
    }

    internal sealed class CallsAPackage
    {
        public static async Task<string> Call()
        {
            await Task.Yield();
            return new ServiceFactory(_ => string.Empty).GetInstance<string>();
        }
    }

    internal sealed class IsOfAPackage : INotification;

    internal sealed class NeedsOnlyTheDomain
    {
        public static Refusal Refuse() => new(RefusalCode.NotFound, string.Empty);
    }
}

namespace Dbos.Architecture.Tests.Planted.Store
{
    internal sealed class AsksRedis
    {
        public static async Task<bool> Ask(Func<Task<object>> connect) => await connect() is IDatabase;
    }

    internal sealed class OpensSqlite
    {
        public static DbConnection Open() => new SqliteConnection();
    }

    internal sealed class KnowsInfrastructure
    {
        public static Type Settings => typeof(Infrastructure.Store.StoreSettings);
    }

    internal sealed class AsksNobody
    {
        public static string Redis => "StackExchange.Redis";
    }
}

namespace Dbos.Architecture.Tests.Planted.Store.Redis
{
    internal sealed class IsTheEngine
    {
        public static Type Connection => typeof(ConnectionMultiplexer);
    }
}

namespace Dbos.Architecture.Tests.Planted.Engines.Redis
{
    internal sealed class BorrowsSqlite
    {
        public static DbConnection Open() => new SqliteConnection();
    }

    internal sealed class AsksItsOwnStore
    {
        public static Type Connection => typeof(ConnectionMultiplexer);
    }
}

namespace Dbos.Architecture.Tests.Planted.Edge
{
    internal sealed class SpeaksGrpc
    {
        public static Exception Refuse() => new Grpc.Core.RpcException(Grpc.Core.Status.DefaultCancelled);
    }

    internal sealed class SpeaksWire
    {
        public static object Agent(string id) => new Wire.Agent { Id = id };
    }

    internal sealed class KnowsTheApi
    {
        public static Type Service => typeof(Api.Services.DbosService);
    }
}

namespace Dbos.Architecture.Tests.Planted.Slices
{
    internal sealed record Whole : IRequest<string>
    {
        internal sealed class Handler : IRequestHandler<Whole, string>
        {
            public Task<string> Handle(Whole request, CancellationToken cancellationToken) => Task.FromResult(string.Empty);
        }
    }

    internal sealed record Sending : IRequest<string>
    {
        internal sealed class Handler(IMediator mediator) : IRequestHandler<Sending, string>
        {
            public Task<string> Handle(Sending request, CancellationToken cancellationToken) => mediator.Send(new Whole(), cancellationToken);
        }
    }

    public sealed record Unsealed : IRequest<string>
    {
        public class Handler : IRequestHandler<Unsealed, string>
        {
            public Task<string> Handle(Unsealed request, CancellationToken cancellationToken) => Task.FromResult(string.Empty);
        }
    }

    internal sealed record Apart : IRequest<string>;

    internal sealed class ApartHandler : IRequestHandler<Apart, string>
    {
        public Task<string> Handle(Apart request, CancellationToken cancellationToken) => Task.FromResult(string.Empty);
    }
}

namespace Dbos.Architecture.Tests.Planted.Repositories
{
    internal sealed class OpenRepository : IDisposable
    {
        public void Dispose()
        {
        }
    }

    internal sealed class MarksRepository : Application.Pipeline.IIdempotencyMarks
    {
        public Task<Application.Pipeline.FirstAnswer?> Find(
            Application.Pipeline.IdempotencyMark mark, string recordId, CancellationToken cancellation) =>
            Task.FromResult<Application.Pipeline.FirstAnswer?>(null);
    }
}

namespace Dbos.Architecture.Tests.Planted.Clocks
{
    internal sealed class ReadsAtOnce
    {
        public static DateTimeOffset Read() => DateTimeOffset.UtcNow;
    }

    internal sealed class ReadsLater
    {
        public static async Task<DateTime> Read()
        {
            await Task.Yield();
            return DateTime.Now;
        }
    }

    internal sealed class ReadsInALambda
    {
        public static Func<DateTime> Read() => () => DateTime.UtcNow;
    }

    internal sealed class ReadsAProvider
    {
        public static DateTimeOffset Read(TimeProvider clock) => clock.GetUtcNow();
    }
}

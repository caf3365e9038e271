namespace Dbos.Api.Tests.Support;

public enum StoreKind
{
    Redis,
    Cluster,
    Embedded,
}

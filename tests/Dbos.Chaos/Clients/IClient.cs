namespace Dbos.Chaos.Clients;

internal interface IClient
{
    /// <summary>One thing of those that a client of its kind does.</summary>
    Task Act();

    /// <summary>Waits for what it began and has not ended.</summary>
    Task Settle() => Task.CompletedTask;
}

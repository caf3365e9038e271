namespace Dbos.Application;

/// <summary>Too many calls wait for the store already: this one was not begun.</summary>
public sealed class StoreBusyException() : Exception("too many calls wait for the store");

namespace Dbos.Chaos.Faults;

internal enum Fault
{
    DbosKilled,
    DbosPaused,
    DbosClockSkewed,
    ClientsCutOff,
    ClientsDelayed,
    MasterKilled,
    RedisPaused,
    MasterFull,
    MasterDelayed,
    MasterCutOff,
}

/// <param name="Victim">The address of the DBOS or the Redis.</param>
/// <param name="Ended">When the victim was well again. Both since the history began.</param>
/// <param name="FailedOver">Another Redis is the master since.</param>
internal sealed record MadeFault(Fault Fault, string Victim, TimeSpan Began, TimeSpan Ended, bool FailedOver = false);

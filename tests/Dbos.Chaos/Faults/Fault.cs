namespace Dbos.Chaos.Faults;

internal enum Fault
{
    DbosKilled,
    DbosPaused,
    DbosClockSkewed,
    ClientsCutOff,
    ClientsDelayed,
    MasterKilled,
    MasterPaused,
    MasterFull,
    MasterDelayed,
    MasterCutOff,
}

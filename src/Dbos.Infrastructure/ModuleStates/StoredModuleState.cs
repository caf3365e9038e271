using Dbos.Domain.ModuleStates;

namespace Dbos.Infrastructure.ModuleStates;

/// <summary>A state with its place in lists, for export and import.</summary>
/// <param name="ChangedAt">Unix microseconds of the commit.</param>
internal sealed record StoredModuleState(ModuleState State, long ChangedAt);

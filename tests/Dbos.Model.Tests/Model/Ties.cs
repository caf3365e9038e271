namespace Dbos.Model.Tests.Model;

/// <summary>Where the contract leaves the order open, the store chooses.</summary>
internal static class Ties
{
    /// <summary>Last: the store did not choose it.</summary>
    public static int PlaceOf(this IReadOnlyList<string> chosen, ModelTask task)
    {
        for (var at = 0; at < chosen.Count; at++)
        {
            if (chosen[at] == task.Id)
            {
                return at;
            }
        }

        return chosen.Count;
    }
}

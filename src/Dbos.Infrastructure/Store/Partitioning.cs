using System.IO.Hashing;
using System.Text;

namespace Dbos.Infrastructure.Store;

public static class Partitioning
{
    private const int MostStackBytes = 1024;

    /// <summary>The partition that an id lives in: the same on every replica and in every release.</summary>
    public static int PartitionOf(string id, int partitions)
    {
        if (partitions == 1)
        {
            return 0;
        }

        var most = Encoding.UTF8.GetMaxByteCount(id.Length);
        var bytes = most <= MostStackBytes ? stackalloc byte[most] : new byte[most];
        return (int)(XxHash64.HashToUInt64(bytes[..Encoding.UTF8.GetBytes(id, bytes)]) % (uint)partitions);
    }
}

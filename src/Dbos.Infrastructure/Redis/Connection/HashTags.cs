using System.Globalization;
using System.Text;

namespace Dbos.Infrastructure.Redis.Connection;

/// <summary>
/// What stands in braces in the keys of each partition. Redis Cluster has nothing else to go by, and consecutive numbers
/// lie unevenly in its slots: three nodes would get 9, 4 and 3 of 16 partitions.
/// </summary>
internal static class HashTags
{
    private const int Slots = 16_384;

    /// <summary>Each partition's lies in a part of the slots that is no other's, so that nodes with as many slots have as many partitions.</summary>
    public static string[] Of(string prefix, int partitions)
    {
        var isTaken = new bool[partitions];
        return [.. Enumerable.Range(0, partitions).Select(Find)];

        string Find(int partition)
        {
            // dbos:4, dbos:4.1, dbos:4.2, …: the first whose part is free. The first partition's is always dbos:0.
            var first = string.Create(CultureInfo.InvariantCulture, $"{prefix}:{partition}");
            var tag = first;
            for (var next = 1; isTaken[PartOf(tag)]; next++)
            {
                tag = string.Create(CultureInfo.InvariantCulture, $"{first}.{next}");
            }

            isTaken[PartOf(tag)] = true;
            return tag;
        }

        int PartOf(string tag) => SlotOf(tag) * partitions / Slots;
    }

    /// <summary>As Redis Cluster reckons it: CRC16 as XMODEM has it.</summary>
    private static int SlotOf(string tag)
    {
        const int Polynomial = 0x1021;
        var crc = 0;
        foreach (var octet in Encoding.UTF8.GetBytes(tag))
        {
            crc ^= octet << 8;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = ((crc & 0x8000) == 0 ? crc << 1 : (crc << 1) ^ Polynomial) & 0xFFFF;
            }
        }

        return crc % Slots;
    }
}

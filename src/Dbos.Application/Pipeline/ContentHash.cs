using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Dbos.Application.Pipeline;

/// <summary>A 128-bit fingerprint of what a caller sent. The same on every replica and in every release.</summary>
public readonly record struct ContentHash(UInt128 Value)
{
    public override string ToString() => Value.ToString("x32", CultureInfo.InvariantCulture);

    /// <summary>Collects fields in a fixed order; each is framed by its length, so that no two lists of fields run together.</summary>
    public sealed class Builder
    {
        /// <summary>The hash's state is a kilobyte: one for each thread, as a fingerprint is taken in one go.</summary>
        [ThreadStatic]
        private static XxHash128? ofThread;

        private readonly XxHash128 hash = ofThread ??= new XxHash128();

        public Builder() => hash.Reset();

        public Builder Add(ReadOnlySpan<byte> bytes)
        {
            AddNumber(bytes.Length);
            hash.Append(bytes);
            return this;
        }

        public Builder Add(string text) => Add(MemoryMarshal.AsBytes(text.AsSpan()));

        public Builder Add(long number)
        {
            AddNumber(number);
            return this;
        }

        /// <param name="part">Built before this builder was begun: a thread builds one hash at a time.</param>
        public Builder Add(ContentHash part) => Add(part.ToString());

        /// <summary>In whichever order the map comes.</summary>
        public Builder Add(IReadOnlyDictionary<string, string> map)
        {
            AddNumber(map.Count);
            foreach (var (key, value) in map.Count > 1 ? map.OrderBy(entry => entry.Key, StringComparer.Ordinal) : map.AsEnumerable())
            {
                Add(key).Add(value);
            }

            return this;
        }

        public ContentHash Build() => new(hash.GetCurrentHashAsUInt128());

        private void AddNumber(long number)
        {
            Span<byte> bytes = stackalloc byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
            hash.Append(bytes);
        }
    }
}

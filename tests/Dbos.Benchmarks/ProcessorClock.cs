using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Dbos.Benchmarks;

/// <summary>
/// The processor time of a process, all threads included. The operating system's clock of a process counts nanoseconds;
/// <see cref="System.Diagnostics.Process"/> counts in steps of 10 ms, which is too coarse for short rounds.
/// </summary>
internal static partial class ProcessorClock
{
    public static TimeSpan Of(int process)
    {
        Demand(GetClockId(process, out var clock));
        Demand(GetTime(clock, out var time) == 0 ? 0 : Marshal.GetLastPInvokeError());
        return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromTicks(time.Nanoseconds / TimeSpan.NanosecondsPerTick);
    }

    [LibraryImport("libc", EntryPoint = "clock_getcpuclockid")]
    private static partial int GetClockId(int process, out int clock);

    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    private static partial int GetTime(int clock, out Timespec time);

    private static void Demand(int error)
    {
        if (error != 0)
        {
            throw new Win32Exception(error);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Timespec
    {
        public readonly nint Seconds;
        public readonly nint Nanoseconds;
    }
}

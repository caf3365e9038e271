using Dbos.Infrastructure.Redis;
using Dbos.Infrastructure.Redis.Connection;

namespace Dbos.Infrastructure.Tests.Redis;

public sealed class ReplicationInfoTests
{
    private const string Redis62 = """
        # Replication
        role:master
        connected_slaves:2
        slave0:ip=127.0.0.1,port=6380,state=online,offset=1540,lag=0
        slave1:ip=127.0.0.1,port=6381,state=wait_bgsave,offset=0,lag=0
        master_failover_state:no-failover
        master_replid:8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb
        master_replid2:0000000000000000000000000000000000000000
        master_repl_offset:1554
        second_repl_offset:-1
        repl_backlog_active:1
        repl_backlog_size:1048576
        repl_backlog_first_byte_offset:1
        repl_backlog_histlen:1554
        """;

    private const string Redis70Replica = """
        # Replication
        role:slave
        master_host:127.0.0.1
        master_port:6379
        master_link_status:up
        master_last_io_seconds_ago:1
        master_sync_in_progress:0
        slave_read_repl_offset:1554
        slave_repl_offset:1554
        slave_priority:100
        slave_read_only:1
        replica_announced:1
        connected_slaves:0
        master_failover_state:no-failover
        master_replid:8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb
        master_replid2:0000000000000000000000000000000000000000
        master_repl_offset:1554
        """;

    private const string Valkey = """
        # Replication
        role:master
        connected_slaves:2
        slave0:ip=fe80::1,port=6380,state=online,offset=98,lag=1,type=replica
        slave1:ip=10.0.0.3,port=6381,state=online,offset=112,lag=0,type=replica
        replicas_waiting_psync:0
        master_failover_state:no-failover
        master_replid:5a2a3f4b2e0e2fd5d3bb0f1d2cb5ad0e35f10f9c
        master_replid2:8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb
        master_repl_offset:112
        second_repl_offset:43
        """;

    [Theory]
    [InlineData(Redis62, true, "8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb", 1554, new long[] { 1540 })]
    [InlineData(Redis70Replica, false, "8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb", 1554, new long[0])]
    [InlineData(Valkey, true, "5a2a3f4b2e0e2fd5d3bb0f1d2cb5ad0e35f10f9c", 112, new long[] { 98, 112 })]
    public void A_server_says_whose_history_it_has_and_how_far_it_and_its_online_replicas_are(
        string info, bool isPrimary, string history, long offset, long[] replicas)
    {
        foreach (var text in new[] { info, info.ReplaceLineEndings("\r\n") })
        {
            var read = ReplicationInfo.Read(text);

            (read.IsPrimary, read.History, read.Offset).Should().Be((isPrimary, history, offset));
            read.ReplicaOffsets.Should().Equal(replicas);
        }
    }
}

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.SdkHttpConfigurationOption;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.utils.AttributeMap;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.StreamConfig;
import software.amazon.kinesis.common.StreamIdentifier;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.leases.LeaseAssignmentStrategy;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.FormerStreamsLeasesDeletionStrategy;
import software.amazon.kinesis.processor.MultiStreamTracker;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.ShardRecordProcessorFactory;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.processor.StreamTracker;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.RetrievalSpecificConfig;
import software.amazon.kinesis.retrieval.fanout.FanOutConfig;
import software.amazon.kinesis.retrieval.polling.PollingConfig;
import software.amazon.kinesis.worker.metric.OperatingRange;
import software.amazon.kinesis.worker.metric.impl.linux.LinuxCpuWorkerMetric;

/**
 * A worker of the KCL that tells on its output, one JSON object a line, what is delivered to it and what it has
 * checkpointed; "stop" on its input, or the input's end, shuts it down gracefully. Options are name=value.
 */
public class KclWorker {
    private static final Map<String, String> options = new HashMap<>();

    public static void main(String[] args) throws Exception {
        for (String arg : args) {
            int at = arg.indexOf('=');
            options.put(arg.substring(0, at), arg.substring(at + 1));
        }
        Scheduler scheduler = scheduler();
        Thread running = new Thread(scheduler, "scheduler");
        running.start();
        tell("ready", null, "");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null && !line.equals("stop"); line = in.readLine()) {}
        scheduler.startGracefulShutdown().get();
        tell("stopped", null, "");
        Runtime.getRuntime().halt(0);
    }

    private static Scheduler scheduler() {
        long failoverMs = Long.parseLong(options.get("failoverTimeMs"));
        boolean isFanOut = "fan-out".equals(options.get("retrieval"));
        StaticCredentialsProvider credentials =
                StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test"));
        KinesisAsyncClient kinesis = KinesisAsyncClient.builder()
                .region(Region.US_EAST_1)
                .endpointOverride(URI.create(options.get("kinesisEndpoint")))
                .credentialsProvider(credentials)
                .httpClient(NettyNioAsyncHttpClient.builder()
                        .protocol(isFanOut ? Protocol.HTTP2 : Protocol.HTTP1_1)
                        .buildWithDefaults(AttributeMap.builder()
                                .put(SdkHttpConfigurationOption.TRUST_ALL_CERTIFICATES, true)
                                .build()))
                .build();
        DynamoDbAsyncClient dynamodb = DynamoDbAsyncClient.builder()
                .region(Region.US_EAST_1)
                .endpointOverride(URI.create(options.get("dynamodbEndpoint")))
                .credentialsProvider(credentials)
                .httpClient(NettyNioAsyncHttpClient.create())
                .build();
        // Never called: the metrics go nowhere.
        CloudWatchAsyncClient cloudWatch = CloudWatchAsyncClient.builder()
                .region(Region.US_EAST_1)
                .endpointOverride(URI.create("http://127.0.0.1:1"))
                .credentialsProvider(credentials)
                .build();
        ConfigsBuilder builder = new ConfigsBuilder(
                tracker(),
                options.get("applicationName"),
                kinesis,
                dynamodb,
                cloudWatch,
                options.get("workerId"),
                new ProcessorFactory());
        PollingConfig polling = options.containsKey("streams")
                ? new PollingConfig(kinesis)
                : new PollingConfig(options.get("streamName"), kinesis);
        RetrievalSpecificConfig retrieval = isFanOut
                ? new FanOutConfig(kinesis)
                        .streamName(options.get("streamName"))
                        .applicationName(options.get("applicationName"))
                : polling.idleTimeBetweenReadsInMillis(500);
        return new Scheduler(
                builder.checkpointConfig(),
                builder.coordinatorConfig()
                        .parentShardPollIntervalMillis(500)
                        .shardConsumerDispatchPollIntervalMillis(200),
                leaseManagement(builder.leaseManagementConfig(), failoverMs),
                builder.lifecycleConfig(),
                builder.metricsConfig().metricsFactory(new NullMetricsFactory()),
                builder.processorConfig(),
                builder.retrievalConfig().retrievalSpecificConfig(retrieval));
    }

    private static StreamTracker tracker() {
        InitialPositionInStreamExtended start =
                InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON);
        if (!options.containsKey("streams")) return new SingleStreamTracker(options.get("streamName"), start);
        List<StreamConfig> streams = Stream.of(options.get("streams").split(","))
                .map(identifier -> new StreamConfig(StreamIdentifier.multiStreamInstance(identifier), start))
                .collect(Collectors.toList());
        return new MultiStreamTracker() {
            @Override
            public List<StreamConfig> streamConfigList() {
                return streams;
            }

            @Override
            public FormerStreamsLeasesDeletionStrategy formerStreamsLeasesDeletionStrategy() {
                return new FormerStreamsLeasesDeletionStrategy.NoLeaseDeletionStrategy();
            }
        };
    }

    private static LeaseManagementConfig leaseManagement(LeaseManagementConfig config, long failoverMs) {
        boolean reportsCpu = "true".equals(options.get("reportsCpu"));
        OperatingRange range = OperatingRange.builder().maxUtilization(100).build();
        config.workerUtilizationAwareAssignmentConfig()
                .disableWorkerMetrics(!reportsCpu)
                .workerMetricList(reportsCpu ? List.of(new LinuxCpuWorkerMetric(range)) : List.of())
                .inMemoryWorkerMetricsCaptureFrequencyMillis(200)
                .varianceBalancingFrequency(1);
        return config.failoverTimeMillis(failoverMs)
                .leaseAssignmentIntervalMillis(failoverMs / 2)
                .leaseAssignmentStrategy(
                        options.get("strategy").equals("count")
                                ? LeaseAssignmentStrategy.LEASE_COUNT_BASED
                                : LeaseAssignmentStrategy.WORKER_UTILIZATION_AWARE)
                .maxLeasesForWorker(Integer.parseInt(options.getOrDefault("maxLeases", "1000")))
                .dynamoDbLockBasedLeaderLeaseDurationInMillis(2 * failoverMs)
                .dynamoDbLockBasedLeaderHeartbeatPeriodInMillis(failoverMs / 2)
                .leasesRecoveryAuditorExecutionFrequencyMillis(2000)
                .leasesRecoveryAuditorInconsistencyConfidenceThreshold(2)
                .shardSyncIntervalMillis(1000);
    }

    private static synchronized void tell(String type, String shardId, String more) {
        String shard = shardId == null ? "" : ",\"shardId\":\"" + shardId + "\"";
        System.out.println("{\"type\":\"" + type + "\"" + shard + more + "}");
        System.out.flush();
    }

    private static String field(String name, Object value) {
        return ",\"" + name + "\":\"" + value + "\"";
    }

    private static class ProcessorFactory implements ShardRecordProcessorFactory {
        @Override
        public ShardRecordProcessor shardRecordProcessor() {
            return new Processor("");
        }

        @Override
        public ShardRecordProcessor shardRecordProcessor(StreamIdentifier stream) {
            return new Processor(options.containsKey("streams") ? stream.streamName() + "/" : "");
        }
    }

    private static class Processor implements ShardRecordProcessor {
        private final String prefix;
        private String shardId;

        Processor(String prefix) {
            this.prefix = prefix;
        }

        @Override
        public void initialize(InitializationInput input) {
            shardId = prefix + input.shardId();
            String from = input.extendedSequenceNumber().sequenceNumber() + "/"
                    + input.extendedSequenceNumber().subSequenceNumber();
            tell("started", shardId, field("from", from));
        }

        @Override
        public void processRecords(ProcessRecordsInput input) {
            try {
                process(input);
            } catch (Exception error) {
                tell("failed", shardId, field("error", error.getClass().getSimpleName()));
            }
        }

        private void process(ProcessRecordsInput input) throws Exception {
            StringBuilder records = new StringBuilder();
            KinesisClientRecord last = null;
            String stopAfter = options.get("stopAfter");
            for (KinesisClientRecord record : input.records()) {
                byte[] bytes = new byte[record.data().remaining()];
                record.data().duplicate().get(bytes);
                String text = new String(bytes, StandardCharsets.UTF_8);
                records.append(last == null ? "" : ",")
                        .append("[\"").append(place(record)).append("\",\"").append(text).append("\"]");
                last = record;
                if (text.equals(stopAfter)) break;
            }
            if (last == null) return;
            tell("records", shardId, ",\"records\":[" + records + "]");
            input.checkpointer().checkpoint(last.sequenceNumber(), last.subSequenceNumber());
            tell("checkpointed", shardId, field("place", place(last)));
            byte[] bytes = new byte[last.data().remaining()];
            last.data().duplicate().get(bytes);
            // What comes after is for somebody else.
            if (new String(bytes, StandardCharsets.UTF_8).equals(stopAfter)) new CountDownLatch(1).await();
        }

        private static String place(KinesisClientRecord record) {
            return record.sequenceNumber() + "/" + record.subSequenceNumber();
        }

        @Override
        public void leaseLost(LeaseLostInput input) {
            tell("lost", shardId, "");
        }

        @Override
        public void shardEnded(ShardEndedInput input) {
            try {
                input.checkpointer().checkpoint();
                tell("ended", shardId, "");
            } catch (Exception error) {
                tell("failed", shardId, field("error", error.getClass().getSimpleName()));
            }
        }

        @Override
        public void shutdownRequested(ShutdownRequestedInput input) {
            tell("asked", shardId, "");
        }
    }
}

import com.google.common.util.concurrent.ListenableFuture;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;
import software.amazon.kinesis.producer.UserRecordResult;

/**
 * Writes user records with the KPL and its daemon: one record a line in, one line of its shard out. What comes before
 * the line "flush" is stored before what comes after it.
 */
public class KplWriter {
    public static void main(String[] args) throws Exception {
        String stream = args[1];
        KinesisProducer producer = new KinesisProducer(new KinesisProducerConfiguration()
                .setRegion("us-east-1")
                .setKinesisEndpoint("127.0.0.1")
                .setKinesisPort(Integer.parseInt(args[0]))
                .setVerifyCertificate(false)
                .setMetricsLevel("none")
                .setLogLevel("warning")
                // An aggregate is closed by a flush, not by how fast this machine is.
                .setRecordMaxBufferedTime(10_000)
                .setRecordTtl(60_000)
                .setCredentialsProvider(
                        StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test"))));
        List<ListenableFuture<UserRecordResult>> results = new ArrayList<>();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (line.equals("flush")) {
                // The daemon's flush can overtake records that it has only just been sent.
                Thread.sleep(500);
                producer.flushSync();
                continue;
            }
            String[] fields = line.split("\t", -1);
            String key = new String(Base64.getDecoder().decode(fields[0]), StandardCharsets.UTF_8);
            ByteBuffer data = ByteBuffer.wrap(Base64.getDecoder().decode(fields[2]));
            results.add(producer.addUserRecord(stream, key, fields[1].isEmpty() ? null : fields[1], data));
        }
        producer.flushSync();
        StringBuilder out = new StringBuilder();
        for (ListenableFuture<UserRecordResult> result : results) out.append(result.get().getShardId()).append('\n');
        System.out.print(out);
        System.out.flush();
        producer.destroy();
        System.exit(0);
    }
}

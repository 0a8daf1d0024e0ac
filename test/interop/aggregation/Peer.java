import com.amazonaws.kinesis.agg.AggRecord;
import com.amazonaws.kinesis.agg.RecordAggregator;
import com.amazonaws.kinesis.deagg.RecordDeaggregator;
import com.amazonaws.services.kinesis.clientlibrary.types.UserRecord;
import com.amazonaws.services.lambda.runtime.events.KinesisEvent;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Date;
import java.util.List;

/** Reads and writes aggregates with kinesis-aggregation for Java: one JSON object a line in, one a line out. */
public class Peer {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode task = JSON.readTree(line);
            ObjectNode answer = JSON.createObjectNode();
            answer.set("read", attempt(() -> read(Base64.getDecoder().decode(task.get("blob").asText()))));
            answer.set("written", attempt(() -> write(task.get("records"))));
            out.println(JSON.writeValueAsString(answer));
        }
    }

    private interface Work {
        JsonNode run() throws Exception;
    }

    /** Whatever the library throws is its answer. */
    private static JsonNode attempt(Work work) {
        try {
            return work.run();
        } catch (Exception error) {
            return JSON.createObjectNode().put("error", error.toString());
        }
    }

    private static ArrayNode read(byte[] blob) {
        KinesisEvent.Record kinesis = new KinesisEvent.Record();
        kinesis.setData(ByteBuffer.wrap(blob));
        kinesis.setPartitionKey("outer");
        kinesis.setSequenceNumber("1");
        kinesis.setApproximateArrivalTimestamp(new Date(0));
        KinesisEvent.KinesisEventRecord record = new KinesisEvent.KinesisEventRecord();
        record.setKinesis(kinesis);
        List<UserRecord> members = RecordDeaggregator.deaggregate(record);
        ArrayNode answer = JSON.createArrayNode();
        for (UserRecord member : members) {
            byte[] data = new byte[member.getData().remaining()];
            member.getData().duplicate().get(data);
            answer.addObject()
                .put("partitionKey", member.getPartitionKey())
                .put("explicitHashKey", member.getExplicitHashKey())
                .put("data", Base64.getEncoder().encodeToString(data));
        }
        return answer;
    }

    private static ArrayNode write(JsonNode records) throws Exception {
        RecordAggregator aggregator = new RecordAggregator();
        ArrayNode answer = JSON.createArrayNode();
        for (JsonNode record : records) {
            JsonNode hashKey = record.get("explicitHashKey");
            AggRecord full = aggregator.addUserRecord(
                record.get("partitionKey").asText(),
                hashKey == null ? null : hashKey.asText(),
                Base64.getDecoder().decode(record.get("data").asText()));
            if (full != null) {
                answer.add(Base64.getEncoder().encodeToString(full.toRecordBytes()));
            }
        }
        AggRecord last = aggregator.clearAndGet();
        if (last != null) {
            answer.add(Base64.getEncoder().encodeToString(last.toRecordBytes()));
        }
        return answer;
    }
}

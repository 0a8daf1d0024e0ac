"""Reads and writes aggregates with kinesis-aggregation for Python: one JSON object a line in, one a line out."""
import base64
import json
import sys

from aws_kinesis_agg.aggregator import RecordAggregator
from aws_kinesis_agg.deaggregator import deaggregate_records


def read(blob):
    """The user records of a Kinesis record's data (base64)."""
    kinesis = {
        "kinesisSchemaVersion": "1.0",
        "sequenceNumber": "1",
        "partitionKey": "outer",
        "approximateArrivalTimestamp": 1,
        "data": blob,
    }
    return [
        {
            "partitionKey": record["kinesis"]["partitionKey"],
            "explicitHashKey": record["kinesis"].get("explicitHashKey"),
            "data": text(record["kinesis"]["data"]),
        }
        for record in deaggregate_records([{"kinesis": kinesis}])
    ]


def text(data):
    return data.decode("ascii") if isinstance(data, bytes) else data


def write(records):
    """The data (base64) of the Kinesis records that the library makes of user records."""
    aggregator = RecordAggregator()
    full = [
        aggregator.add_user_record(
            record["partitionKey"], base64.b64decode(record["data"]), record.get("explicitHashKey")
        )
        for record in records
    ] + [aggregator.clear_and_get()]
    return [base64.b64encode(one.get_contents()[2]).decode("ascii") for one in full if one is not None]


def attempt(work, value):
    try:
        return work(value)
    except Exception as error:  # Whatever the library throws is its answer.
        return {"error": repr(error)}


for line in sys.stdin:
    case = json.loads(line)
    print(json.dumps({"read": attempt(read, case["blob"]), "written": attempt(write, case["records"])}))

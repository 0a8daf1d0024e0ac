// Generated from aggregated-record.proto by scripts/generate.ts. Do not edit.
import type $protobuf from "protobufjs/minimal.js";

/** What is used of the `long` package. */
export interface Long {
  toNumber(): number;
}

/** Represents a Tag. */
export declare class Tag {

    /**
     * Constructs a new Tag.
     * @param [properties] Properties to set
     */
    constructor(properties?: Tag.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** Tag key. */
    key: string;

    /** Tag value. */
    value: string;

    /**
     * Encodes the specified Tag message. Does not implicitly {@link Tag.verify|verify} messages.
     * @param message Tag message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: Tag.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes a Tag message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {Tag & Tag.$Shape} Tag
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): Tag & Tag.$Shape;
}

export declare namespace Tag {

    /** Properties of a Tag. */
    interface $Properties {

        /** Tag key */
        key: string;

        /** Tag value */
        value?: (string|null);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of a Tag. */
    type $Shape = Tag.$Properties;
}

/** Represents a Record. */
export declare class Record {

    /**
     * Constructs a new Record.
     * @param [properties] Properties to set
     */
    constructor(properties?: Record.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** Record partitionKeyIndex. */
    partitionKeyIndex: (number|Long);

    /** Record explicitHashKeyIndex. */
    explicitHashKeyIndex: (number|Long);

    /** Record data. */
    data: Uint8Array;

    /** Record tags. */
    tags: Tag.$Properties[];

    /**
     * Encodes the specified Record message. Does not implicitly {@link Record.verify|verify} messages.
     * @param message Record message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: Record.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes a Record message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {Record & Record.$Shape} Record
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): Record & Record.$Shape;
}

export declare namespace Record {

    /** Properties of a Record. */
    interface $Properties {

        /** Record partitionKeyIndex */
        partitionKeyIndex: (number|Long);

        /** Record explicitHashKeyIndex */
        explicitHashKeyIndex?: (number|Long|null);

        /** Record data */
        data: Uint8Array;

        /** Record tags */
        tags?: (Tag.$Properties[]|null);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of a Record. */
    type $Shape = Record.$Properties;
}

/** Represents an AggregatedRecord. */
export declare class AggregatedRecord {

    /**
     * Constructs a new AggregatedRecord.
     * @param [properties] Properties to set
     */
    constructor(properties?: AggregatedRecord.$Properties);

    /** Unknown fields preserved while decoding when enabled */
    $unknowns?: Uint8Array[];

    /** AggregatedRecord partitionKeyTable. */
    partitionKeyTable: string[];

    /** AggregatedRecord explicitHashKeyTable. */
    explicitHashKeyTable: string[];

    /** AggregatedRecord records. */
    records: Record.$Properties[];

    /**
     * Encodes the specified AggregatedRecord message. Does not implicitly {@link AggregatedRecord.verify|verify} messages.
     * @param message AggregatedRecord message or plain object to encode
     * @param [writer] Writer to encode to
     * @returns Writer
     */
    static encode(message: AggregatedRecord.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

    /**
     * Decodes an AggregatedRecord message from the specified reader or buffer.
     * @param reader Reader or buffer to decode from
     * @param [length] Message length if known beforehand
     * @returns {AggregatedRecord & AggregatedRecord.$Shape} AggregatedRecord
     * @throws {Error} If the payload is not a reader or valid buffer
     * @throws {$protobuf.util.ProtocolError} If required fields are missing
     */
    static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): AggregatedRecord & AggregatedRecord.$Shape;
}

export declare namespace AggregatedRecord {

    /** Properties of an AggregatedRecord. */
    interface $Properties {

        /** AggregatedRecord partitionKeyTable */
        partitionKeyTable?: (string[]|null);

        /** AggregatedRecord explicitHashKeyTable */
        explicitHashKeyTable?: (string[]|null);

        /** AggregatedRecord records */
        records?: (Record.$Properties[]|null);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];
    }

    /** Shape of an AggregatedRecord. */
    type $Shape = AggregatedRecord.$Properties;
}

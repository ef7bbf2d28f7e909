/*
 * layout.h - what lies in an arena file. Structs and nothing else.
 *
 *   0                 struct arena_head
 *   4096              struct namespace_entry[LAYOUT_NAMESPACES], by the namespace's number
 *   next LAYOUT_STEP  struct segment_entry[frames_max << frame_order], by the segment's number
 *   aligned 1 MiB     the frames of the arena; frame 0 is never touched
 *
 * The file is sparse: entries get their blocks in steps of LAYOUT_STEP as numbers are first used,
 * frames when they are first used. These structs are the file's format: they do not change when
 * those of the running store do, so an upgrade keeps the arena. A change of the format raises
 * LAYOUT_VERSION. Numbers are in the machine's byte order.
 *
 * Every struct has a field that is marked as its commit mark. The commit mark is stored last, and
 * what it covers does not exist before. It is stored with release order; that is enough, since a
 * process dies and its memory does not. Checked words and checks: checksum.h.
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_LAYOUT_H
#define KVCACHED_DAEMON_STORE_ARENA_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

enum {
    LAYOUT_VERSION = 1,
    LAYOUT_BYTE_ORDER = 0x01020304,
    LAYOUT_NAMESPACES = 65536,
    LAYOUT_STEP = 65536, /* bytes */
    LAYOUT_HEAD = 4096,  /* bytes */
    RECORD_GUARD = 3,    /* bytes before a record; see record.h */
};

#define LAYOUT_MAGIC "kvcached" /* 8 bytes, no zero behind */

#define SEGMENT_NEVER UINT64_MAX /* a time that never comes: of expiries and what follows them */

/* The clock. There are two, written in turn, so that one is always whole. */
struct clock_record {
    uint64_t turn;    /* the commit mark. 0: being written; else a number of 1 .. 255 eight
                         times over, so that no flipped byte makes 0 of it */
    uint8_t boot[16]; /* the machine's boot id; zeros: unknown, equal to nothing */
    int64_t offset;   /* ms, the store's clock less the machine's uptime */
    uint64_t stopped; /* the store's clock at a clean stop; 0: in use */
    uint64_t wall;    /* ms since 1970 at that moment */
    uint64_t inode;   /* of this file. It differs in a copy, which tells a copy that was made of
                         a file in use */
    uint32_t spare;
    uint32_t check; /* checksum_bytes of all above but `turn` */
};

struct arena_head {
    char magic[8]; /* written last when the file is made */
    uint32_t byte_order;
    uint32_t layout;
    uint64_t secret[2];  /* random; seeds every check in the file, nothing else */
    uint32_t frames_max; /* frame 0 included: what there are segment entries for */
    uint8_t frame_order, place_shift;
    uint8_t guard; /* RECORD_GUARD */
    uint8_t spare;
    uint32_t spare2;
    uint32_t check; /* checksum_bytes of all above but the magic */
    uint8_t pad[16];
    struct clock_record clocks[2];
    uint64_t versions; /* checked word: versions given so far, in units of 2^20, rounded up */
    uint8_t rest[LAYOUT_HEAD - 200];
};

struct namespace_entry {
    uint64_t generation; /* checked word: number of the current one. 0: free. The commit mark */
    uint64_t flush_at;   /* checked word: on the store's clock; 0: not */
    uint32_t check;      /* of name, length and number */
    uint8_t name_length;
    uint8_t spare[3];
    char name[64];
    uint64_t creator; /* what made it (creators.h); 0: unknown, as in files of older programs. Has
                       no check: a wrong one counts the namespace at another creator, no more */
    uint8_t rest[32];
};

enum file_segment_kind { FILE_SEGMENT_LOG = 1, FILE_SEGMENT_SPAN = 2, FILE_SEGMENT_PIECE = 3 };

struct segment_entry {
    uint64_t owner;     /* checked word: the generation's number. 0: free. The commit mark */
    uint64_t expiry;    /* checked word, of a span: expiry in 47 bits (all ones: never), bit 47:
                           stale; else 0 */
    uint64_t base_time; /* ms on the store's clock */
    uint64_t version;   /* as the segment was made; no other segment ever has it */
    uint64_t bound;     /* piece: the head's `version`; span: the record's version; else 0 */
    uint32_t unit;      /* where in the arena */
    uint32_t piece;     /* number of the next piece, or 0 */
    uint32_t sum;       /* span, piece: checksum_bytes of the value's bytes that lie in it */
    uint32_t check;     /* of base_time, version, bound, unit, piece, sum and the number */
    uint32_t used;      /* bytes. The commit mark of records: above it there are none */
    uint32_t shape;     /* order, kind << 8, 0x5a << 16, their XOR << 24: one store */
};

_Static_assert(sizeof(struct clock_record) == 64 && offsetof(struct clock_record, check) == 60,
               "clock_record");
_Static_assert(sizeof(struct arena_head) == LAYOUT_HEAD &&
                   offsetof(struct arena_head, check) == 44 &&
                   offsetof(struct arena_head, clocks) == 64 &&
                   offsetof(struct arena_head, versions) == 192,
               "arena_head");
_Static_assert(sizeof(struct namespace_entry) == 128 &&
                   offsetof(struct namespace_entry, name) == 24 &&
                   offsetof(struct namespace_entry, creator) == 88,
               "namespace_entry");
_Static_assert(sizeof(struct segment_entry) == 64 && offsetof(struct segment_entry, used) == 56,
               "segment_entry");

#endif

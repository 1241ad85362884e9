/* SPDX-License-Identifier: MIT */
/*
 * golden.h - bytes as they must be on the wire, written down: netlink's own fields in the
 * byte order of whoever runs the test, what is inside of attributes big-endian.
 *
 *     static const uint8_t should[] = { H32(28), H16(0x900), H16(1), ..., A(8, 3), B32(5) };
 */
#ifndef TEST_GOLDEN_H
#define TEST_GOLDEN_H

#define B16(v) (uint8_t)((v) >> 8), (uint8_t)((v) & 255)
#define B32(v) (uint8_t)((uint32_t)(v) >> 24), (uint8_t)((uint32_t)(v) >> 16 & 255), \
	       (uint8_t)((uint32_t)(v) >> 8 & 255), (uint8_t)((uint32_t)(v) & 255)
#define B64(v) B32((uint64_t)(v) >> 32), B32((uint64_t)(v) & 0xffffffff)

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define H16(v) B16(v)
#define H32(v) B32(v)
#else
#define H16(v) (uint8_t)((v) & 255), (uint8_t)((v) >> 8)
#define H32(v) (uint8_t)((uint32_t)(v) & 255), (uint8_t)((uint32_t)(v) >> 8 & 255), \
	       (uint8_t)((uint32_t)(v) >> 16 & 255), (uint8_t)((uint32_t)(v) >> 24)
#endif

/* nlmsghdr and nfgenmsg. */
#define MESSAGE(len, type, flags, seq, family, res_id) \
	H32(len), H16(type), H16(flags), H32(seq), H32(0), family, 0, B16(res_id)

/* The header of an attribute of n bytes, of a nest of n bytes. */
#define A(n, type)  H16(4 + (n)), H16(type)
#define AN(n, type) H16(4 + (n)), H16(0x8000 | (type))

#endif

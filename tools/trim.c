/* SPDX-License-Identifier: MIT */
/*
 * trim.c - see trim.h. What may be written to is nobody's but ours, and stays.
 */
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>
#include "trim.h"

/* A program that can stand anywhere says where its headers would be if it stood at 0. */
static uintptr_t base_of(const ElfW(Phdr) *headers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (headers[i].p_type == PT_PHDR)
			return (uintptr_t)headers - headers[i].p_vaddr;
	return 0;
}

void trim_program(void)
{
	const ElfW(Phdr) *headers = (const void *)(uintptr_t)getauxval(AT_PHDR);
	size_t n = headers ? getauxval(AT_PHNUM) : 0;
	uintptr_t base = base_of(headers, n), page = (uintptr_t)getpagesize();

	/* From the last on, for in the first there are the headers themselves. */
	for (size_t i = n; i-- > 0;) {
		uintptr_t from = base + headers[i].p_vaddr, end = from + headers[i].p_memsz;

		from &= ~(page - 1);
		if (headers[i].p_type == PT_LOAD && !(headers[i].p_flags & PF_W))
			(void)madvise((void *)from, end - from, MADV_DONTNEED);
	}
}

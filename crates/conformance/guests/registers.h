// registers.h: one system call, or one stretch of waiting, with every register known before and looked at behind.
//
// The functions load all general registers, flags, vector, mask and x87 registers and the red zone from the thread's
// `registers_in`, run `syscall` (or spin until `registers_stop` is set by a signal handler), and store everything to
// `registers_out`. There is one of each for the vector registers a processor has: xmm, ymm or zmm. All memory goes by
// %fs, so that no register is needed for an address.
#ifndef REGISTERS_H
#define REGISTERS_H

#include <cpuid.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

// The offsets are repeated in the assembly below.
struct registers {
	uint64_t general[16]; // rax rbx rcx rdx rsi rdi rbp rsp r8..r15
	uint64_t flags;
	uint32_t mxcsr;
	uint32_t x87_control;
	uint8_t x87_top[16];
	uint64_t red_zone[16];
	uint64_t masks[8];
	uint64_t unused[4];
	uint8_t vectors[32][64];
};
_Static_assert(offsetof(struct registers, flags) == 128, "layout");
_Static_assert(offsetof(struct registers, mxcsr) == 136, "layout");
_Static_assert(offsetof(struct registers, x87_top) == 144, "layout");
_Static_assert(offsetof(struct registers, red_zone) == 160, "layout");
_Static_assert(offsetof(struct registers, masks) == 288, "layout");
_Static_assert(offsetof(struct registers, vectors) == 384, "layout");

enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP, R8, R9, R10, R11, R12, R13, R14, R15 };

extern __thread struct registers registers_in, registers_out;
extern __thread volatile uint64_t registers_stop, registers_handled;
__thread struct registers registers_in, registers_out;
__thread volatile uint64_t registers_stop, registers_handled;

__asm__(".macro in reg, offset\n"
	"	mov	%fs:registers_in@tpoff+\\offset, %\\reg\n"
	".endm\n"
	".macro out reg, offset\n"
	"	mov	%\\reg, %fs:registers_out@tpoff+\\offset\n"
	".endm\n"

	".macro vectors_in_sse\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	movdqu	%fs:registers_in@tpoff+384+64*\\n, %xmm\\n\n"
	"	.endr\n"
	".endm\n"
	".macro vectors_out_sse\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	movdqu	%xmm\\n, %fs:registers_out@tpoff+384+64*\\n\n"
	"	.endr\n"
	".endm\n"
	".macro vectors_in_avx\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	vmovdqu	%fs:registers_in@tpoff+384+64*\\n, %ymm\\n\n"
	"	.endr\n"
	".endm\n"
	".macro vectors_out_avx\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	vmovdqu	%ymm\\n, %fs:registers_out@tpoff+384+64*\\n\n"
	"	.endr\n"
	"	vzeroupper\n"
	".endm\n"
	".macro vectors_in_avx512\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
	"	vmovdqu64 %fs:registers_in@tpoff+384+64*\\n, %zmm\\n\n"
	"	.endr\n"
	"	.irp n,0,1,2,3,4,5,6,7\n"
	"	kmovw	%fs:registers_in@tpoff+288+8*\\n, %k\\n\n"
	"	.endr\n"
	".endm\n"
	".macro vectors_out_avx512\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
	"	vmovdqu64 %zmm\\n, %fs:registers_out@tpoff+384+64*\\n\n"
	"	.endr\n"
	"	.irp n,0,1,2,3,4,5,6,7\n"
	"	kmovw	%k\\n, %fs:registers_out@tpoff+288+8*\\n\n"
	"	.endr\n"
	"	vzeroupper\n"
	".endm\n"

	// What a signal handler may do to all of them; the frame must bring them back.
	".macro vectors_ruin_sse\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	pcmpeqd	%xmm\\n, %xmm\\n\n"
	"	.endr\n"
	".endm\n"
	".macro vectors_ruin_avx\n"
	"	vectors_ruin_sse\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	vinsertf128 $1, %xmm\\n, %ymm\\n, %ymm\\n\n"
	"	.endr\n"
	".endm\n"
	".macro vectors_ruin_avx512\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
	"	vpternlogd $255, %zmm\\n, %zmm\\n, %zmm\\n\n"
	"	.endr\n"
	"	.irp n,0,1,2,3,4,5,6,7\n"
	"	kxnorw	%k\\n, %k\\n, %k\\n\n"
	"	.endr\n"
	".endm\n"

	".macro function kind, level\n"
	"	.text\n"
	"	.p2align 4\n"
	"	.globl	registers_\\kind\\()_\\level\n"
	"	.type	registers_\\kind\\()_\\level, @function\n"
	"registers_\\kind\\()_\\level:\n"
	"	.cfi_startproc\n"
	"	.irp reg,rbx,rbp,r12,r13,r14,r15\n"
	"	push	%\\reg\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.endr\n"
	"	mov	%rsp, %fs:registers_in@tpoff+56\n"
	"	vectors_in_\\level\n"
	"	ldmxcsr	%fs:registers_in@tpoff+136\n"
	"	fldcw	%fs:registers_in@tpoff+140\n"
	"	fldt	%fs:registers_in@tpoff+144\n"
	"	pushq	%fs:registers_in@tpoff+128\n"
	"	popfq\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	in	rax, 160+8*\\n\n"
	"	mov	%rax, -128+8*\\n(%rsp)\n"
	"	.endr\n"
	"	.ifc \\kind, syscall\n"
	"	lea	1f(%rip), %rax\n"
	"	mov	%rax, %fs:registers_in@tpoff+16\n"
	"	in	rax, 128\n"
	"	mov	%rax, %fs:registers_in@tpoff+88\n"
	"	.endif\n"
	"	in	rax, 0\n"
	"	in	rbx, 8\n"
	"	in	rcx, 16\n"
	"	in	rdx, 24\n"
	"	in	rsi, 32\n"
	"	in	rdi, 40\n"
	"	in	rbp, 48\n"
	"	in	r8, 64\n"
	"	in	r9, 72\n"
	"	in	r10, 80\n"
	"	in	r11, 88\n"
	"	in	r12, 96\n"
	"	in	r13, 104\n"
	"	in	r14, 112\n"
	"	in	r15, 120\n"
	"	.ifc \\kind, syscall\n"
	"	syscall\n"
	"	.else\n"
	"1:	cmpq	$0, %fs:registers_stop@tpoff\n"
	"	je	1b\n"
	"	.endif\n"
	"1:	out	rax, 0\n"
	"	out	rbx, 8\n"
	"	out	rcx, 16\n"
	"	out	rdx, 24\n"
	"	out	rsi, 32\n"
	"	out	rdi, 40\n"
	"	out	rbp, 48\n"
	"	out	rsp, 56\n"
	"	out	r8, 64\n"
	"	out	r9, 72\n"
	"	out	r10, 80\n"
	"	out	r11, 88\n"
	"	out	r12, 96\n"
	"	out	r13, 104\n"
	"	out	r14, 112\n"
	"	out	r15, 120\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	mov	-128+8*\\n(%rsp), %rax\n"
	"	out	rax, 160+8*\\n\n"
	"	.endr\n"
	"	pushfq\n"
	"	popq	%fs:registers_out@tpoff+128\n"
	"	cld\n"
	"	stmxcsr	%fs:registers_out@tpoff+136\n"
	"	fnstcw	%fs:registers_out@tpoff+140\n"
	"	fstpt	%fs:registers_out@tpoff+144\n"
	"	vectors_out_\\level\n"
	"	.irp reg,r15,r14,r13,r12,rbp,rbx\n"
	"	pop	%\\reg\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	.endr\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size	registers_\\kind\\()_\\level, . - registers_\\kind\\()_\\level\n"
	".endm\n"

	// A handler that keeps no register but rsp, not even those a called function keeps, and leaves the direction flag set.
	".macro handler level\n"
	"	.globl	registers_ruin_\\level\n"
	"	.type	registers_ruin_\\level, @function\n"
	"registers_ruin_\\level:\n"
	"	.cfi_startproc\n"
	"	incq	%fs:registers_handled@tpoff\n"
	"	cmpq	$0, %fs:registers_handled@tpoff\n"
	"	jl	1f\n"
	"	movq	$1, %fs:registers_stop@tpoff\n"
	"1:	vectors_ruin_\\level\n"
	"	.irp reg,rax,rbx,rcx,rdx,rsi,rdi,rbp,r8,r9,r10,r11,r12,r13,r14,r15\n"
	"	mov	$0x6b6b6b6b, %\\reg\n"
	"	.endr\n"
	"	fninit\n"
	"	fld1\n"
	"	fld1\n"
	"	pushq	$0x9f80\n"
	"	ldmxcsr	(%rsp)\n"
	"	pop	%rax\n"
	"	std\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size	registers_ruin_\\level, . - registers_ruin_\\level\n"
	".endm\n"

	"function syscall, sse\n"
	"function syscall, avx\n"
	"function syscall, avx512\n"
	"function spin, sse\n"
	"function spin, avx\n"
	"function spin, avx512\n"
	"handler sse\n"
	"handler avx\n"
	"handler avx512\n");

void registers_syscall_sse(void), registers_syscall_avx(void), registers_syscall_avx512(void);
void registers_spin_sse(void), registers_spin_avx(void), registers_spin_avx512(void);
void registers_ruin_sse(int), registers_ruin_avx(int), registers_ruin_avx512(int);

static void (*registers_syscall)(void) = registers_syscall_sse;
static void (*registers_spin)(void) = registers_spin_sse;
static void (*registers_ruin)(int) = registers_ruin_sse;
static int registers_vectors = 16, registers_width = 16;

__attribute__((constructor)) static void registers_choose(void)
{
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f")) {
		registers_syscall = registers_syscall_avx512;
		registers_spin = registers_spin_avx512;
		registers_ruin = registers_ruin_avx512;
		registers_vectors = 32;
		registers_width = 64;
	} else if (__builtin_cpu_supports("avx2")) {
		registers_syscall = registers_syscall_avx;
		registers_spin = registers_spin_avx;
		registers_ruin = registers_ruin_avx;
		registers_width = 32;
	}
}

static inline uint64_t registers_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

// Fills `registers_in` from a seed; the caller then sets rax and the arguments.
static inline void registers_fill(uint64_t *seed)
{
	struct registers *in = &registers_in;
	static const uint16_t controls[] = {0x37f, 0x27f, 0xf7f, 0x77f};
	for (int i = 0; i < 16; i++)
		in->general[i] = registers_random(seed);
	for (int i = 0; i < 16; i++)
		in->red_zone[i] = registers_random(seed);
	// Carry, parity, adjust, zero, sign, direction, overflow; interrupts are always on.
	in->flags = (registers_random(seed) & 0xcd5) | 0x202;
	// All exceptions masked; rounding, flush-to-zero and denormals-are-zero vary.
	in->mxcsr = 0x1f80 | (registers_random(seed) & 0xe07f);
	in->x87_control = controls[registers_random(seed) % 4];
	uint64_t mantissa = registers_random(seed) | 1ULL << 63, exponent = 0x3fff + registers_random(seed) % 100;
	memcpy(in->x87_top, &mantissa, 8);
	memcpy(in->x87_top + 8, &exponent, 2);
	for (int i = 0; i < 8; i++)
		in->masks[i] = registers_random(seed) & 0xffff;
	for (int i = 0; i < 32; i++)
		for (int k = 0; k < 64; k += 8) {
			uint64_t value = registers_random(seed);
			memcpy(&in->vectors[i][k], &value, 8);
		}
}

enum { REGISTERS_ALL_FLAGS = 0xcd5, REGISTERS_DIRECTION = 0x400 };

// NULL, or which register differs between in and out. rax is the caller's business; of the flags only those asked for count.
static inline const char *registers_difference(uint64_t flags)
{
	static __thread char text[128];
	static const char *const names[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
					    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
	const struct registers *in = &registers_in, *out = &registers_out;
	for (int i = 1; i < 16; i++)
		if (in->general[i] != out->general[i]) {
			snprintf(text, sizeof text, "%s was %#lx, is %#lx", names[i], in->general[i], out->general[i]);
			return text;
		}
	for (int i = 0; i < 16; i++)
		if (in->red_zone[i] != out->red_zone[i]) {
			snprintf(text, sizeof text, "red zone -%d was %#lx, is %#lx", 128 - 8 * i, in->red_zone[i], out->red_zone[i]);
			return text;
		}
	for (int i = 0; i < registers_vectors; i++)
		for (int k = 0; k < registers_width; k++)
			if (in->vectors[i][k] != out->vectors[i][k]) {
				snprintf(text, sizeof text, "vector %d byte %d was %#x, is %#x", i, k, in->vectors[i][k], out->vectors[i][k]);
				return text;
			}
	for (int i = 0; i < 8 && registers_width == 64; i++)
		if (in->masks[i] != (out->masks[i] & 0xffff)) {
			snprintf(text, sizeof text, "mask %d was %#lx, is %#lx", i, in->masks[i], out->masks[i]);
			return text;
		}
	if (in->mxcsr != out->mxcsr)
		snprintf(text, sizeof text, "mxcsr was %#x, is %#x", in->mxcsr, out->mxcsr);
	else if ((uint16_t)in->x87_control != (uint16_t)out->x87_control)
		snprintf(text, sizeof text, "x87 control was %#x, is %#x", in->x87_control, out->x87_control);
	else if (memcmp(in->x87_top, out->x87_top, 10) != 0)
		snprintf(text, sizeof text, "x87 top differs");
	else if ((in->flags ^ out->flags) & flags)
		snprintf(text, sizeof text, "flags were %#lx, are %#lx", in->flags, out->flags);
	else
		return NULL;
	return text;
}

#endif

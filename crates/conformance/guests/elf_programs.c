// elf_programs.c: programs without a libc, made here byte by byte: initial registers, segments, bss, and images refused.
//
// Calls: execve
// Passes: host acrida
#include "process.h"

#include <elf.h>

// The program: position-independent, with its data 2 MiB above its code. It writes its second argument and ends with a
// code of one bit for each thing that is as it should be: 1 general registers zero, 2 stack aligned, 4 two arguments,
// 8 direction flag clear, 16 data as in the file, 32 bss zero to its end and writable, 64 vector registers zero and
// mxcsr as at reset.
extern const char tiny_start[], tiny_end[];
__asm__(".section .text.tiny, \"ax\"\n"
	".globl tiny_start\n"
	".globl tiny_end\n"
	"tiny_start:\n"
	"	pushfq\n"
	"	or	%rax, %rbx\n"
	"	.irp reg,rcx,rdx,rsi,rdi,rbp,r8,r9,r10,r11,r12,r13,r14,r15\n"
	"	or	%\\reg, %rbx\n"
	"	.endr\n"
	"	pop	%rax\n"
	"	xor	%r15d, %r15d\n"
	"	test	%rbx, %rbx\n"
	"	jnz	1f\n"
	"	or	$1, %r15d\n"
	"1:	test	$15, %esp\n"
	"	jnz	1f\n"
	"	or	$2, %r15d\n"
	"1:	cmpq	$2, (%rsp)\n"
	"	jne	1f\n"
	"	or	$4, %r15d\n"
	"1:	test	$0x400, %eax\n"
	"	jnz	1f\n"
	"	or	$8, %r15d\n"
	"1:	xor	%ecx, %ecx\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	movq	%xmm\\n, %rdx\n"
	"	or	%rdx, %rcx\n"
	"	.endr\n"
	"	stmxcsr	-8(%rsp)\n"
	"	mov	-8(%rsp), %edx\n"
	"	xor	$0x1f80, %edx\n"
	"	or	%rdx, %rcx\n"
	"	jnz	1f\n"
	"	or	$64, %r15d\n"
	// Written before the data is looked at, which may be missing.
	"1:	mov	16(%rsp), %rsi\n"
	"	xor	%edx, %edx\n"
	"2:	cmpb	$0, (%rsi,%rdx)\n"
	"	je	3f\n"
	"	inc	%edx\n"
	"	jmp	2b\n"
	"3:	mov	$1, %edi\n"
	"	mov	$1, %eax\n"
	"	syscall\n"
	"	lea	tiny_start(%rip), %rbx\n"
	"	add	$0x1ff000, %rbx\n"
	"	movabs	$0x1122334455667788, %rax\n"
	"	cmp	%rax, (%rbx)\n"
	"	jne	1f\n"
	"	or	$16, %r15d\n"
	"1:	mov	$8, %ecx\n"
	"2:	cmpb	$0, (%rbx,%rcx)\n"
	"	jne	1f\n"
	"	movb	$1, (%rbx,%rcx)\n"
	"	inc	%ecx\n"
	"	cmp	$20000, %ecx\n"
	"	jb	2b\n"
	"	or	$32, %r15d\n"
	"1:	mov	%r15d, %edi\n"
	"	mov	$231, %eax\n"
	"	syscall\n"
	"tiny_end:\n"
	".text\n");

static struct {
	Elf64_Ehdr header;
	Elf64_Phdr segments[4];
	char text[256];
} image;

enum { CODE = 0x1000, DATA = 0x200000 };

// A good program at `base`.
static void prepare(unsigned long base, int type)
{
	memset(&image, 0, sizeof image);
	memcpy(image.header.e_ident, ELFMAG, SELFMAG);
	image.header.e_ident[EI_CLASS] = ELFCLASS64;
	image.header.e_ident[EI_DATA] = ELFDATA2LSB;
	image.header.e_ident[EI_VERSION] = EV_CURRENT;
	image.header.e_type = type;
	image.header.e_machine = EM_X86_64;
	image.header.e_version = EV_CURRENT;
	image.header.e_entry = base + CODE;
	image.header.e_phoff = offsetof(typeof(image), segments);
	image.header.e_ehsize = sizeof(Elf64_Ehdr);
	image.header.e_phentsize = sizeof(Elf64_Phdr);
	image.header.e_phnum = 3;
	image.segments[0] = (Elf64_Phdr){.p_type = PT_LOAD,
					 .p_flags = PF_R | PF_X,
					 .p_offset = CODE,
					 .p_vaddr = base + CODE,
					 .p_filesz = tiny_end - tiny_start,
					 .p_memsz = tiny_end - tiny_start,
					 .p_align = 4096};
	image.segments[1] = (Elf64_Phdr){.p_type = PT_LOAD,
					 .p_flags = PF_R | PF_W,
					 .p_offset = 0x2000,
					 .p_vaddr = base + DATA,
					 .p_filesz = 8,
					 .p_memsz = 20000,
					 .p_align = 4096};
	image.segments[2] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W, .p_align = 16};
}

// Writes the file and runs it: the errno of execve, or how it ended.
static void run(const char *name)
{
	// Another inode each time: whoever looks at a dead process in /proc may keep its program busy.
	unlink("program");
	int fd = open("program", O_CREAT | O_RDWR | O_EXCL, 0700);
	unsigned long data[16] = {0x1122334455667788, 0xffff};
	need(pwrite(fd, &image, sizeof image, 0));
	need(pwrite(fd, tiny_start, tiny_end - tiny_start, CODE));
	need(pwrite(fd, data, sizeof data, 0x2000));
	close(fd);
	char line[64], *argv[] = {"program", line, NULL}, *envp[] = {NULL};
	snprintf(line, sizeof line, "%s: %s speaks\n", current_check, name);
	pid_t pid = start();
	if (pid == 0) {
		report_result(name, raw(SYS_execve, "program", argv, envp));
		_exit(111);
	}
	const char *how = ending(pid);
	if (strcmp(how, "exited 111"))
		report(name, "%s", how);
}

CHECK(good)
{
	prepare(0x400000, ET_EXEC);
	run("static");
	prepare(0, ET_DYN);
	run("position-independent");
	prepare(0x10000, ET_EXEC);
	run("low");
	prepare(0x200000000000, ET_EXEC);
	run("high");
	prepare(0x400000, ET_EXEC);
	image.header.e_phnum = 2;
	run("without-stack-segment");
	prepare(0x400000, ET_EXEC);
	image.segments[2].p_flags |= PF_X;
	run("executable-stack");
	prepare(0x400000, ET_EXEC);
	image.segments[0].p_flags = PF_R | PF_W | PF_X;
	run("writable-text");
	prepare(0x400000, ET_EXEC);
	image.header.e_version = 77;
	image.header.e_flags = 5;
	image.header.e_ident[EI_OSABI] = 99;
	run("fields-nobody-looks-at");
	prepare(0x400000, ET_EXEC);
	image.segments[0].p_align = 0;
	image.segments[1].p_align = 3;
	run("odd-alignment-fields");
}

CHECK(data_and_bss)
{
	prepare(0x400000, ET_EXEC);
	image.segments[1].p_filesz = 16;
	run("bss-not-zero-in-file");
	prepare(0x400000, ET_EXEC);
	image.segments[1].p_memsz = 8;
	run("no-bss");
	prepare(0x400000, ET_EXEC);
	image.segments[1].p_flags = PF_R;
	run("read-only-data-with-bss");
	prepare(0x400000, ET_EXEC);
	image.segments[1].p_offset = 0x2008;
	image.segments[1].p_vaddr += 8;
	run("not-at-page-start");
	prepare(0x400000, ET_EXEC);
	image.header.e_phnum = 1;
	run("no-data");
}

CHECK(refused)
{
	prepare(0x400000, ET_REL);
	run("relocatable");
	prepare(0x400000, ET_EXEC);
	image.header.e_ident[0] = 'E';
	run("magic");
	prepare(0x400000, ET_EXEC);
	image.header.e_machine = EM_386;
	run("machine-386");
	prepare(0x400000, ET_EXEC);
	image.header.e_phentsize = 32;
	run("entry-size");
	prepare(0x400000, ET_EXEC);
	image.header.e_phnum = 0;
	run("no-segments");
	prepare(0x400000, ET_EXEC);
	image.header.e_phnum = 1200;
	run("too-many-segments");
	prepare(0x400000, ET_EXEC);
	image.header.e_phoff = 1 << 30;
	run("segments-outside-file");
	prepare(0x400000, ET_EXEC);
	image.segments[2] = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = offsetof(typeof(image), text), .p_filesz = 5};
	strcpy(image.text, "/no/");
	run("interpreter-missing");
	image.segments[2].p_filesz = 1;
	run("interpreter-name-empty");
	image.segments[2].p_filesz = 4097;
	run("interpreter-name-long");
	image.segments[2].p_filesz = 3;
	run("interpreter-name-without-end");
	strcpy(image.text, "/dev/null");
	image.segments[2].p_filesz = 10;
	run("interpreter-device");
	strcpy(image.text, "/etc/passwd");
	image.segments[2].p_filesz = 12;
	run("interpreter-not-elf");
}

CHECK(broken)
{
	prepare(0x400000, ET_EXEC);
	image.header.e_entry = 0x10;
	run("entry-unmapped");
	prepare(0x400000, ET_EXEC);
	image.header.e_entry = 0x400000 + DATA;
	run("entry-in-data");
	prepare(0x400000, ET_EXEC);
	image.segments[1].p_filesz = 30000;
	run("file-size-above-memory-size");
	prepare(0x400000, ET_EXEC);
	image.segments[1].p_offset = 0x2010;
	run("offset-and-address-disagree");
	prepare(0x400000, ET_EXEC);
	image.segments[1].p_vaddr = 0xffff800000000000;
	run("segment-in-kernel");
	prepare(0x400000, ET_EXEC);
	image.segments[1].p_memsz = 1L << 50;
	run("segment-too-long");
	prepare(0x400000, ET_EXEC);
	image.segments[1].p_offset = 0x40000;
	run("segment-behind-end-of-file");
	prepare(0, ET_EXEC);
	image.segments[0].p_vaddr = 0;
	image.header.e_entry = 0;
	run("at-null");
}

// process_vm.c: copying from and to another process's memory.
//
// Calls: process_vm_readv process_vm_writev process_madvise
// Passes: host acrida
#include "memory.h"

static long copy(long call, pid_t pid, struct iovec *local, long count, struct iovec *remote, long remote_count)
{
	return raw(call, (long)pid, local, count, remote, remote_count, 0L);
}

CHECK(child)
{
	char *base = map_pages(4, PROT_READ | PROT_WRITE);
	int ready[2], go[2];
	need(pipe(ready));
	need(pipe(go));
	strcpy(base, "parent");
	pid_t pid = start();
	if (pid == 0) {
		char byte;
		strcpy(base, "child ");
		strcpy(base + PAGE - 3, "across");
		need(write(ready[1], "r", 1));
		need(read(go[0], &byte, 1));
		report("child-sees", "%s", base);
		_exit(0);
	}
	char byte, text[64] = "";
	need(read(ready[0], &byte, 1));
	struct iovec local[2] = {{text, 3}, {text + 10, 20}};
	struct iovec remote[2] = {{base, 6}, {base + PAGE - 3, 7}};
	report_result("read", copy(SYS_process_vm_readv, pid, local, 2, remote, 2));
	report("first", "%.3s", text);
	report("second", "%.10s", text + 10);
	struct iovec from = {"written", 8}, to = {base, 8};
	report_result("write", copy(SYS_process_vm_writev, pid, &from, 1, &to, 1));
	report("own-copy", "%s", base);
	need(write(go[1], "g", 1));
	reap("child", pid);
	report_result("reaped", copy(SYS_process_vm_readv, pid, local, 1, remote, 1));
}

CHECK(self)
{
	char *base = map_pages(3, PROT_READ | PROT_WRITE), text[3 * 4096];
	memset(base, 's', 3 * PAGE);
	munmap(base + 2 * PAGE, PAGE);
	struct iovec local = {text, sizeof text}, remote = {base + PAGE, 2 * PAGE};
	report_result("up-to-hole", copy(SYS_process_vm_readv, getpid(), &local, 1, &remote, 1));
	remote.iov_base = base + 2 * PAGE;
	report_result("from-hole", copy(SYS_process_vm_readv, getpid(), &local, 1, &remote, 1));
	mprotect(base, PAGE, PROT_READ);
	remote = (struct iovec){base, 4};
	local.iov_len = 4;
	report_result("write-read-only", copy(SYS_process_vm_writev, getpid(), &local, 1, &remote, 1));
	mprotect(base, PAGE, PROT_NONE);
	report_result("read-no-access", copy(SYS_process_vm_readv, getpid(), &local, 1, &remote, 1));
}

CHECK(errors)
{
	char text[16];
	struct iovec local = {text, sizeof text}, remote = {text, sizeof text}, empty = {text, 0},
		     negative = {text, -1};
	struct iovec kernel = {(void *)BAD_KERNEL, 8};
	pid_t me = getpid();
	report_result("flags", raw(SYS_process_vm_readv, (long)me, &local, 1L, &remote, 1L, 1L));
	report_result("nobody", copy(SYS_process_vm_readv, 0x3fffffff, &local, 1, &remote, 1));
	report_result("nobody-empty-local", copy(SYS_process_vm_readv, 0x3fffffff, &empty, 1, &remote, 1));
	report_result("nobody-empty-remote", copy(SYS_process_vm_readv, 0x3fffffff, &local, 1, &empty, 1));
	report_result("too-many-local", copy(SYS_process_vm_readv, me, &local, 1025, &remote, 1));
	report_result("too-many-remote", copy(SYS_process_vm_readv, me, &local, 1, &remote, 1025));
	report_result("negative-local", copy(SYS_process_vm_readv, me, &negative, 1, &remote, 1));
	report_result("negative-remote", copy(SYS_process_vm_readv, me, &local, 1, &negative, 1));
	report_result("bad-local-vector", copy(SYS_process_vm_readv, me, bad_pointer(), 1, &remote, 1));
	report_result("bad-remote-vector", copy(SYS_process_vm_readv, me, &local, 1, bad_pointer(), 1));
	report_result("local-in-kernel", copy(SYS_process_vm_readv, me, &kernel, 1, &remote, 1));
	report_result("remote-in-kernel", copy(SYS_process_vm_readv, me, &local, 1, &kernel, 1));
	report_result("no-segments", copy(SYS_process_vm_readv, me, NULL, 0, NULL, 0));
}

CHECK(advice)
{
	char *base = map_pages(4, PROT_READ | PROT_WRITE);
	int self = need(syscall(SYS_pidfd_open, getpid(), 0));
	struct iovec ranges[2] = {{base, PAGE}, {base + 2 * PAGE, 2 * PAGE}};
	report_result("cold", raw(SYS_process_madvise, (long)self, ranges, 2L, (long)MADV_COLD, 0L));
	report_result("flags", raw(SYS_process_madvise, (long)self, ranges, 2L, (long)MADV_COLD, 1L));
	report_result("bad-fd", raw(SYS_process_madvise, -1L, ranges, 2L, (long)MADV_COLD, 0L));
	report_result("not-a-pidfd", raw(SYS_process_madvise, 0L, ranges, 2L, (long)MADV_COLD, 0L));
	munmap(base + 2 * PAGE, PAGE);
	report_result("second-has-hole", raw(SYS_process_madvise, (long)self, ranges, 2L, (long)MADV_COLD, 0L));
	report_result("first-has-hole", raw(SYS_process_madvise, (long)self, ranges + 1, 1L, (long)MADV_COLD, 0L));
}

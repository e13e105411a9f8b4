// devices.c: /dev/null, zero, full, random, urandom.
//
// Calls: open read write lseek mmap poll
// Passes: host acrida
#include "check.h"
#include <sys/random.h>
#include <sys/sysmacros.h>

static char buffer[8192];

static void identity(const char *path)
{
	struct stat st;
	if (stat(path, &st))
		say("%s: %s", path, errno_name(errno));
	else
		say("%s: %s %u:%u mode %o", path, type_name(st.st_mode), major(st.st_rdev), minor(st.st_rdev), st.st_mode & 07777);
}

CHECK(identities)
{
	identity("/dev/null");
	identity("/dev/zero");
	identity("/dev/full");
	identity("/dev/random");
	identity("/dev/urandom");
	identity("/dev/tty");
}

CHECK(null)
{
	int fd = show(open("/dev/null", O_RDWR));
	show(read(fd, buffer, 10));
	show(read(fd, bad_pointer(), 10));
	show(write(fd, buffer, 10));
	show(write(fd, bad_pointer(), 10));
	show(write(fd, buffer, 0));
	show(pwrite(fd, buffer, 10, 1000));
	show(pread(fd, buffer, 10, 1000));
	show(writev(fd, (struct iovec[]){ { buffer, 5 }, { bad_pointer(), 6 } }, 2));
	show(lseek(fd, 5, SEEK_SET));
	show(ftruncate(fd, 10));
	show(fsync(fd));
	show_ok(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
	show(open("/dev/null", O_RDWR | O_TRUNC | O_CREAT, 0600));
	show(open("/dev/null", O_RDWR | O_APPEND));
	struct stat st;
	fstat(fd, &st);
	show(st.st_size);
}

CHECK(zero)
{
	int fd = show(open("/dev/zero", O_RDWR));
	memset(buffer, 'x', 100);
	show(read(fd, buffer, 50));
	show_bytes("read", buffer, 52);
	show(read(fd, bad_pointer(), 10));
	show(read(fd, at_edge(5), 10));
	show(write(fd, buffer, 10));
	show(write(fd, bad_pointer(), 10));
	show(read(fd, buffer, 0));
	show(pread(fd, buffer, 10, 1 << 20));
	show(lseek(fd, 100, SEEK_CUR));
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	show_bytes("private map", map, 16);
	map[0] = 'p';
	show_bytes("private map", map, 4);
	char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	IN_CHILD("child") {
		shared[0] = 's';
	}
	show_bytes("shared map", shared, 2);
}

CHECK(full)
{
	int fd = show(open("/dev/full", O_RDWR));
	show(write(fd, buffer, 10));
	show(write(fd, buffer, 0));
	show(write(fd, bad_pointer(), 10));
	memset(buffer, 'x', 20);
	show(read(fd, buffer, 10));
	show_bytes("read", buffer, 12);
	show(writev(fd, &(struct iovec){ buffer, 5 }, 1));
}

CHECK(random)
{
	int fd = show(open("/dev/urandom", O_RDWR));
	show(read(fd, buffer, 64));
	show(read(fd, buffer + 64, 64));
	say("two reads differ: %d", memcmp(buffer, buffer + 64, 64) != 0);
	show(read(fd, bad_pointer(), 10));
	show(read(fd, buffer, 0));
	show(read(fd, buffer, 5000));
	show(read(fd, at_edge(5), 10));
	show(write(fd, buffer, 10));
	show(write(fd, bad_pointer(), 10));
	show(lseek(fd, 10, SEEK_SET));
	fd = show(open("/dev/random", O_RDONLY | O_NONBLOCK));
	show(read(fd, buffer, 16));
	show_ok(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
}

CHECK(getrandom_call)
{
	show(getrandom(buffer, 32, 0));
	show(getrandom(buffer, 32, GRND_NONBLOCK));
	show(getrandom(buffer, 32, GRND_RANDOM));
	show(getrandom(buffer, 32, GRND_INSECURE));
	show(getrandom(buffer, 32, GRND_INSECURE | GRND_RANDOM));
	show(getrandom(buffer, 32, 0x100));
	show(getrandom(bad_pointer(), 32, 0));
	show(getrandom(at_edge(4), 32, 0));
	show(getrandom(NULL, 0, 0));
	show(getrandom(bad_pointer(), 32, 0x100));
}

CHECK(links_to_descriptors)
{
	static const char *links[] = { "/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr" };
	for (int i = 0; i < 4; i++) {
		long length = readlink(links[i], buffer, sizeof buffer - 1);
		buffer[length > 0 ? length : 0] = 0;
		say("%s -> %s", links[i], length > 0 ? buffer : errno_name(errno));
	}
	int p[2];
	pipe(p);
	write(p[1], "abc", 3);
	dup2(p[0], 20);
	show(read(open("/dev/fd/20", O_RDONLY), buffer, 10));
}

CHECK(no_controlling_terminal)
{
	IN_CHILD("new session") {
		setsid();
		show(open("/dev/tty", O_RDWR));
	}
}

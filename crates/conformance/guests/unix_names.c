// unix_names.c: path names, abstract names, automatic names.
//
// Calls: bind connect getsockname getpeername unlink stat
// Passes: host acrida
// Places: disk tmpfs
#include "sockets.h"

#include <pthread.h>

CHECK(socket_inode)
{
	struct stat st;
	umask(027);
	int fd = bound(SOCK_STREAM, "s");
	show(stat("s", &st));
	say("%s %o links %d size %ld", type_name(st.st_mode), st.st_mode & 07777, (int)st.st_nlink, (long)st.st_size);
	show(fchmod(fd, 0600));
	stat("s", &st);
	say("%o", st.st_mode & 07777);
	umask(0);
	bound(SOCK_DGRAM, "t");
	stat("t", &st);
	say("%o", st.st_mode & 07777);
	show(open("s", O_RDONLY));
	show(open("s", O_WRONLY | O_NONBLOCK));
	show(truncate("s", 0));
	show(chmod("s", 0640));
	stat("s", &st);
	say("%o", st.st_mode & 07777);
}

// What fchmod says of a socket without a name holds for the file that it gets.
CHECK(mode_of_the_socket)
{
	static const mode_t modes[] = { 0600, 04711, 0 };
	struct stat st;
	umask(022);
	for (unsigned i = 0; i < 3; i++) {
		int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
		struct name name = path_name("s");
		show(fchmod(fd, modes[i]));
		show(bind(fd, AT(name)));
		need(stat("s", &st));
		say("%o", st.st_mode & 07777);
		show(fchmod(fd, 0755));
		need(stat("s", &st));
		say("%o", st.st_mode & 07777);
		unlink("s");
		close(fd);
	}
}

static int contended;

static void *bind_other(void *go)
{
	struct name name = abstract_name("two");
	while (!*(volatile int *)go)
		;
	return bind(contended, AT(name)) ? NULL : go;
}

// One of two who give a socket its name at once succeeds.
CHECK(two_binds_at_once)
{
	int none = 0, both = 0, left = 0;
	for (int round = 0; round < 300; round++) {
		volatile int go = 0;
		pthread_t other;
		void *there;
		contended = need(socket(AF_UNIX, SOCK_STREAM, 0));
		struct name name = round % 2 ? abstract_name("one") : path_name("s");
		pthread_create(&other, NULL, bind_other, (void *)&go);
		go = 1;
		int here = bind(contended, AT(name)) == 0;
		pthread_join(other, &there);
		none += !here && !there;
		both += here && there;
		// Nobody else can have the name that was not given.
		left += unlink("s") == 0 && !here;
		close(contended);
	}
	say("none %d, both %d, left %d", none, both, left);
}

CHECK(stale_path)
{
	int fd = bound(SOCK_STREAM, "s");
	struct name name = path_name("s");
	int other = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(bind(other, AT(name)));
	close(fd);
	show(bind(other, AT(name)));
	show(connect(other, AT(name)));
	show(unlink("s"));
	show(connect(other, AT(name)));
	show(bind(other, AT(name)));
	show_own_name("bound", other);
}

CHECK(name_taken_by_others)
{
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	struct name file = path_name("file"), directory = path_name("directory"), link = path_name("link"), dot = path_name("."),
		    inside = path_name("file/s"), missing = path_name("missing/s"), slash = path_name("new/");
	close(need(open("file", O_CREAT | O_RDWR, 0600)));
	need(mkdir("directory", 0755));
	need(symlink("nowhere", "link"));
	show(bind(fd, AT(file)));
	show(bind(fd, AT(directory)));
	show(bind(fd, AT(link)));
	show(bind(fd, AT(dot)));
	show(bind(fd, AT(inside)));
	show(bind(fd, AT(missing)));
	show(bind(fd, AT(slash)));
	show(access("nowhere", F_OK));
}

CHECK(bind_twice)
{
	int fd = bound(SOCK_STREAM, "s");
	struct name other = path_name("t"), same = path_name("s"), none = { .un.sun_family = AF_UNIX, .len = 2 };
	show(bind(fd, AT(other)));
	show(bind(fd, AT(same)));
	show(bind(fd, AT(none)));
	show(access("t", F_OK));
	pair(SOCK_STREAM);
	show(bind(s[0], AT(other)));
	show_own_name("connected", s[0]);
	show_peer_name("peer", s[1]);
}

CHECK(lengths)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr *at = (struct sockaddr *)&un;
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	strcpy(un.sun_path, "s");
	show(bind(fd, at, 0));
	show(bind(fd, at, 1));
	show(bind(fd, at, -1));
	show(bind(fd, at, 111));
	show(bind(fd, at, 128));
	show(bind(fd, at, 129));
	show(bind(fd, bad_pointer(), 5));
	show(bind(fd, NULL, 5));
	show(connect(fd, at, 0));
	show(connect(fd, at, 1));
	show(connect(fd, at, 111));
	show(connect(fd, at, 2));
	un.sun_family = AF_INET;
	show(bind(fd, at, 5));
	show(connect(fd, at, 5));
	un.sun_family = AF_UNSPEC;
	show(bind(fd, at, 5));
	show(connect(fd, at, 5));
}

CHECK(path_without_nul)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	strcpy(un.sun_path, "abcdef");
	show(bind(fd, (struct sockaddr *)&un, 2 + 3));
	show(access("abc", F_OK));
	show_own_name("bound", fd);
	fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(bind(fd, (struct sockaddr *)&un, sizeof un));
	show_own_name("bound", fd);
}

CHECK(longest_path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	memset(un.sun_path, 'p', sizeof un.sun_path);
	show(bind(fd, (struct sockaddr *)&un, sizeof un));
	char name[160];
	socklen_t len = sizeof name;
	show(getsockname(fd, (struct sockaddr *)name, &len));
	show(len);
	show(listen(fd, 1));
	int client = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(connect(client, (struct sockaddr *)&un, sizeof un));
	memset(name, 'x', sizeof name);
	len = sizeof un;
	show(getpeername(client, (struct sockaddr *)name, &len));
	show(len);
}

CHECK(getsockname_room)
{
	char name[110];
	int fd = bound(SOCK_STREAM, "socket");
	for (int room = -1; room <= 12; room++) {
		socklen_t len = room;
		memset(name, '#', sizeof name);
		int result = getsockname(fd, (struct sockaddr *)name, &len);
		say("room %d: %s, length %d", room, result ? errno_name(errno) : "0", (int)len);
		show_bytes("bytes", name + 2, 12);
	}
	socklen_t len = 5;
	show(getsockname(fd, bad_pointer(), &len));
	show(getsockname(fd, (struct sockaddr *)name, NULL));
	show(getpeername(fd, (struct sockaddr *)name, NULL));
	len = 0;
	show(getsockname(fd, NULL, &len));
}

CHECK(permissions)
{
	struct name name = path_name("s");
	int l = listener(SOCK_STREAM, "s", 5);
	int d = bound(SOCK_DGRAM, "d");
	struct name dgram = path_name("d");
	need(chmod("s", 0444));
	need(chmod("d", 0555));
	need(chmod(".", 0755));
	pid_t child = start();
	if (child == 0) {
		if (geteuid() == 0 && (setgid(1000) || setuid(1000)))
			_exit(1);
		int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
		show(connect(fd, AT(name)));
		int e = need(socket(AF_UNIX, SOCK_DGRAM, 0));
		show(sendto(e, "x", 1, 0, AT(dgram)));
		show(connect(e, AT(dgram)));
		_exit(0);
	}
	reap("not writable", child);
	need(chmod("s", 0222));
	need(chmod("d", 0222));
	child = start();
	if (child == 0) {
		if (geteuid() == 0 && (setgid(1000) || setuid(1000)))
			_exit(1);
		int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
		show(connect(fd, AT(name)));
		int e = need(socket(AF_UNIX, SOCK_DGRAM, 0));
		show(sendto(e, "x", 1, 0, AT(dgram)));
		if (getuid() == 1000) {
			struct name here = path_name("mine");
			struct stat st;
			stat(".", &st);
			if (st.st_uid != 1000)
				say("bind: %s", bind(e, AT(here)) ? errno_name(errno) : "0");
		}
		_exit(0);
	}
	reap("writable", child);
	close(l);
	close(d);
}

CHECK(other_names_of_one_inode)
{
	int l = listener(SOCK_STREAM, "s", 5);
	need(link("s", "hard"));
	need(symlink("s", "soft"));
	need(rename("s", "moved"));
	struct name hard = path_name("hard"), soft = path_name("soft"), moved = path_name("moved"), old = path_name("s");
	int a = need(socket(AF_UNIX, SOCK_STREAM, 0)), b = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(connect(a, AT(hard)));
	show_peer_name("peer", a);
	show(connect(b, AT(old)));
	show(connect(b, AT(soft)));
	show(connect(b, AT(moved)));
	show_peer_name("peer", b);
	show_own_name("own", l);
}

CHECK(unlinked_while_bound)
{
	int l = listener(SOCK_STREAM, "s", 5);
	show(unlink("s"));
	show_own_name("own", l);
	int second = listener(SOCK_STREAM, "s", 5);
	int client = connected(SOCK_STREAM, "s");
	show_ok(accept4(second, NULL, NULL, SOCK_NONBLOCK));
	need(fcntl(l, F_SETFL, O_NONBLOCK));
	show_ok(accept(l, NULL, NULL));
	close(client);
}

CHECK(mknod_socket)
{
	show(mknod("node", S_IFSOCK | 0755, 0));
	struct name name = path_name("node");
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(connect(fd, AT(name)));
	show(bind(fd, AT(name)));
}

CHECK(not_a_socket)
{
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	struct name file = path_name("file"), directory = path_name("."), nowhere = path_name("nowhere"), inside = path_name("file/x"),
		    link = path_name("loop");
	close(need(open("file", O_CREAT | O_RDWR, 0600)));
	need(symlink("loop", "loop"));
	show(connect(fd, AT(file)));
	show(connect(fd, AT(directory)));
	show(connect(fd, AT(nowhere)));
	show(connect(fd, AT(inside)));
	show(connect(fd, AT(link)));
}

CHECK(wrong_type)
{
	bound(SOCK_DGRAM, "d");
	struct name dgram = path_name("d");
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(connect(fd, AT(dgram)));
	int l = listener(SOCK_STREAM, "l", 1);
	struct name stream = path_name("l");
	fd = need(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	show(connect(fd, AT(stream)));
	close(l);
	show(connect(fd, AT(stream)));
}

CHECK(abstract)
{
	struct name name = abstract_name("a"), longer = abstract_name("ab");
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0)), other = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(connect(other, AT(name)));
	show(bind(fd, AT(name)));
	show_own_name("own", fd);
	show(bind(other, AT(name)));
	show(connect(other, AT(name)));
	show(listen(fd, 1));
	show(connect(other, AT(longer)));
	show(connect(other, AT(name)));
	show_peer_name("peer", other);
	int dgram = need(socket(AF_UNIX, SOCK_DGRAM, 0));
	show(connect(dgram, AT(name)));
	show(bind(dgram, AT(name)));
	close(fd);
	fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(bind(fd, AT(name)));
}

CHECK(abstract_holds_its_name_while_connections_live)
{
	struct name name = abstract_name("c");
	int l = need(socket(AF_UNIX, SOCK_STREAM, 0)), client = need(socket(AF_UNIX, SOCK_STREAM, 0));
	need(bind(l, AT(name)));
	need(listen(l, 1));
	need(connect(client, AT(name)));
	int server = need(accept(l, NULL, NULL));
	close(l);
	show_own_name("accepted", server);
	l = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(bind(l, AT(name)));
}

CHECK(abstract_with_nuls)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = need(socket(AF_UNIX, SOCK_DGRAM, 0)), other = need(socket(AF_UNIX, SOCK_DGRAM, 0));
	snprintf(un.sun_path + 1, 60, "acrida-%07d-x", getpid());
	show(bind(fd, (struct sockaddr *)&un, 2 + 40));
	show(sendto(other, "x", 1, 0, (struct sockaddr *)&un, 2 + 39));
	show(sendto(other, "x", 1, 0, (struct sockaddr *)&un, 2 + 40));
	show(bind(other, (struct sockaddr *)&un, sizeof un));
	show_own_name("own", other);
}

CHECK(automatic)
{
	struct sockaddr_un un, second;
	socklen_t len = sizeof un;
	struct name none = { .un.sun_family = AF_UNIX, .len = 2 };
	int fd = need(socket(AF_UNIX, SOCK_DGRAM, 0)), other = need(socket(AF_UNIX, SOCK_DGRAM, 0));
	show(bind(fd, AT(none)));
	show(getsockname(fd, (struct sockaddr *)&un, &len));
	say("length %d, first byte %d", (int)len, un.sun_path[0]);
	int digits = 0;
	for (int i = 1; i <= 5; i++)
		digits += (un.sun_path[i] >= '0' && un.sun_path[i] <= '9') || (un.sun_path[i] >= 'a' && un.sun_path[i] <= 'f');
	say("%d digits", digits);
	show(bind(fd, AT(none)));
	show(bind(other, AT(none)));
	len = sizeof second;
	show(getsockname(other, (struct sockaddr *)&second, &len));
	say("another name: %d", memcmp(&un, &second, len) != 0);
	show(sendto(other, "x", 1, 0, (struct sockaddr *)&un, len));
}

CHECK(automatic_by_passcred)
{
	int fd = need(socket(AF_UNIX, SOCK_STREAM, 0));
	listener(SOCK_STREAM, "l", 1);
	struct name name = path_name("l");
	show(set_option(fd, SO_PASSCRED, 1));
	show_own_name("before", fd);
	show(connect(fd, AT(name)));
	show_own_name("after", fd);
	int d = need(socket(AF_UNIX, SOCK_DGRAM, 0)), e = bound(SOCK_DGRAM, "e");
	struct name to_e = path_name("e");
	show(set_option(d, SO_PASSCRED, 1));
	show(sendto(d, "x", 1, 0, AT(to_e)));
	show_own_name("sender", d);
	close(e);
}

CHECK(proc_net_unix)
{
	char line[512];
	int lines = 0;
	bound(SOCK_STREAM, "s");
	FILE *file = fopen("/proc/net/unix", "re");
	if (!file) {
		say("cannot open");
		return;
	}
	bool head = fgets(line, sizeof line, file) != NULL;
	say("head: %s", head ? strtok(line, "\n") : "none");
	// A socket that goes between two pieces of the file takes another one's line along.
	for (int tries = 0; tries < 100 && !lines; tries++, rewind(file))
		while (fgets(line, sizeof line, file))
			lines += strstr(line, " s\n") != NULL;
	fclose(file);
	say("found: %d", lines > 0);
}

// The file behind a name.
CHECK(file_of_a_path)
{
	struct stat of_path, of_file;
	char link[64], target[256] = "";
	mode_t old = umask(0);
	int fd = bound(SOCK_STREAM, "s"), unnamed = need(socket(AF_UNIX, SOCK_DGRAM, 0)), abstract = need(socket(AF_UNIX, SOCK_DGRAM, 0));
	umask(old);
	struct name name = abstract_name("file");
	need(bind(abstract, AT(name)));
	show(ioctl(unnamed, SIOCUNIXFILE, 0));
	show(ioctl(abstract, SIOCUNIXFILE, 0));
	int file = ioctl(fd, SIOCUNIXFILE, 0);
	say("a descriptor: %d", file > fd);
	show(fstat(file, &of_file));
	show(stat("s", &of_path));
	say("the same: %d, kind %o", of_path.st_ino == of_file.st_ino && of_path.st_dev == of_file.st_dev, of_file.st_mode);
	say("flags %x, close on exec %d", fcntl(file, F_GETFL), fcntl(file, F_GETFD));
	show(read(file, target, 1));
	snprintf(link, sizeof link, "/proc/self/fd/%d", file);
	show(readlink(link, target, sizeof target - 1) > 0);
	say("ends with %s", strrchr(target, '/') ? strrchr(target, '/') : target);
	need(unlink("s"));
	int again = ioctl(fd, SIOCUNIXFILE, 0);
	say("a descriptor: %d", again > fd);
	show(fstat(again, &of_file));
	show(of_file.st_nlink);
	int listening = listener(SOCK_STREAM, "l", 1), one = connected(SOCK_STREAM, "l"), other = need(accept(listening, NULL, NULL));
	say("accepted: %d", ioctl(other, SIOCUNIXFILE, 0) > 0);
	show(ioctl(one, SIOCUNIXFILE, 0));
	IN_CHILD("user")
	{
		if (geteuid() == 0)
			need(setresuid(1000, 1000, 1000));
		show(ioctl(fd, SIOCUNIXFILE, 0));
		show(ioctl(unnamed, SIOCUNIXFILE, 0));
	}
}

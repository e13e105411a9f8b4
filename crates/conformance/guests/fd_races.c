// fd_races.c: threads that open, close, duplicate and use the same descriptors.
//
// Calls: open close dup dup2 read write pread accept eventfd
// Passes: host acrida
#include "check.h"
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { THREADS = 4, ROUNDS = 2000 };
static pthread_barrier_t barrier;
static volatile int stop;
static int p[2];

static void run(void *(*body)(void *), long *results)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, body, (void *)i);
	for (int i = 0; i < THREADS; i++) {
		void *result;
		pthread_join(threads[i], &result);
		results[i] = (long)result;
	}
}

// Two owners of one number would show as a failing close.
static void *open_and_close(void *unused UNUSED)
{
	long failures = 0;
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < ROUNDS; i++) {
		int fd = open("/dev/null", O_RDWR);
		failures += fd < 3 || close(fd) != 0;
	}
	return (void *)failures;
}

CHECK(numbers_have_one_owner)
{
	long results[THREADS];
	run(open_and_close, results);
	for (int i = 0; i < THREADS; i++)
		show(results[i]);
	show(dup(0));
}

static void *replace(void *which)
{
	char c;
	long odd = 0;
	pthread_barrier_wait(&barrier);
	if ((long)which == 0) {
		for (int i = 0; i < ROUNDS; i++)
			dup2(i & 1 ? p[0] : p[1], 50);
		stop = 1;
		return NULL;
	}
	// Descriptor 50 is always one end or the other: never closed in between.
	while (!stop) {
		if (fcntl(50, F_GETFD) != 0)
			odd++;
		long got = read(50, &c, 1);
		if (!(got == -1 && (errno == EAGAIN || errno == EBADF)))
			odd++;
	}
	return (void *)odd;
}

CHECK(dup2_replaces_without_a_gap)
{
	long results[THREADS];
	need(pipe2(p, O_NONBLOCK));
	dup2(p[0], 50);
	stop = 0;
	run(replace, results);
	for (int i = 1; i < THREADS; i++)
		show(results[i]);
}

enum { LOWEST = 5, NUMBERS = 2 };
static int lasting[2];

// Two threads change what the numbers stand for, the others read from whatever that is.
static void *change_or_read(void *which)
{
	char c;
	long odd = 0;
	pthread_barrier_wait(&barrier);
	if ((long)which < 2) {
		for (int i = 0; i < ROUNDS; i++) {
			int number = LOWEST + i / 4 % NUMBERS, opened;
			switch ((i + (long)which) % 4) {
			case 0:
				odd += dup2(lasting[i / 4 & 1], number) < 0 && errno != EBUSY;
				break;
			case 1:
				odd += close(number) != 0 && errno != EBADF;
				break;
			default:
				opened = i & 4 ? open("c", O_RDONLY) : eventfd(0, 0);
				odd += opened < LOWEST;
				if (opened >= LOWEST + NUMBERS)
					close(opened);
			}
		}
		__atomic_add_fetch(&stop, 1, __ATOMIC_SEQ_CST);
		return (void *)odd;
	}
	for (int i = 0; stop < 2; i++) {
		long got = pread(LOWEST + i % NUMBERS, &c, 1, 0);
		if (!(got == 1 ? c >= 'a' && c <= 'c' : got == -1 && (errno == EBADF || errno == ESPIPE)))
			odd++;
	}
	return (void *)odd;
}

CHECK(a_look_up_finds_the_old_file_the_new_or_none)
{
	long results[THREADS];
	for (char name[] = "a"; *name <= 'c'; ++*name) {
		int fd = need(open(name, O_CREAT | O_RDWR, 0644));
		write(fd, name, 1);
		if (*name == 'c')
			close(fd);
		else
			lasting[*name - 'a'] = fd;
	}
	show(lasting[1]);
	stop = 0;
	run(change_or_read, results);
	for (int i = 0; i < THREADS; i++)
		show(results[i]);
	close(LOWEST);
	show(open("c", O_RDONLY));
}

static void *share_position(void *unused UNUSED)
{
	char block[10];
	long total = 0, got;
	pthread_barrier_wait(&barrier);
	while ((got = read(p[0], block, sizeof block)) > 0)
		total += got;
	return (void *)total;
}

CHECK(a_shared_position_gives_each_byte_once)
{
	long results[THREADS], total = 0;
	char block[1000] = { 0 };
	p[0] = open("f", O_CREAT | O_RDWR, 0644);
	for (int i = 0; i < 40; i++)
		write(p[0], block, sizeof block);
	lseek(p[0], 0, SEEK_SET);
	run(share_position, results);
	for (int i = 0; i < THREADS; i++)
		total += results[i];
	show(total);
	show(lseek(p[0], 0, SEEK_CUR));
}

static void *append(void *which)
{
	char record[7];
	memset(record, 'a' + (long)which, sizeof record);
	int fd = open("f", O_WRONLY | O_APPEND);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 500; i++)
		write(fd, record, sizeof record);
	return NULL;
}

CHECK(appends_do_not_overwrite)
{
	long results[THREADS], torn = 0, counts[THREADS] = { 0 };
	char record[7];
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	run(append, results);
	while (read(fd, record, sizeof record) == sizeof record) {
		for (int i = 1; i < 7; i++)
			torn += record[i] != record[0];
		counts[record[0] - 'a']++;
	}
	show(torn);
	for (int i = 0; i < THREADS; i++)
		show(counts[i]);
}

static void *create_exclusively(void *unused UNUSED)
{
	long won = 0;
	char name[32];
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 100; i++) {
		sprintf(name, "x%d", i);
		int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (fd >= 0) {
			won++;
			close(fd);
		}
	}
	return (void *)won;
}

CHECK(exclusive_creation_has_one_winner)
{
	long results[THREADS], total = 0;
	run(create_exclusively, results);
	for (int i = 0; i < THREADS; i++)
		total += results[i];
	show(total);
}

static void *make_and_remove(void *unused UNUSED)
{
	long balance = 0;
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 100; i++) {
		balance += mkdir("d", 0755) == 0;
		balance -= rmdir("d") == 0;
	}
	return (void *)balance;
}

CHECK(mkdir_and_rmdir_balance)
{
	long results[THREADS], total = 0;
	run(make_and_remove, results);
	for (int i = 0; i < THREADS; i++)
		total += results[i];
	say("made less removed is what is left: %d", total == (access("d", F_OK) == 0));
}

static void *pass_tokens(void *which)
{
	char c;
	long passed = 0;
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 500; i++) {
		if ((long)which & 1)
			passed += write(p[1], "t", 1) == 1;
		else
			passed += read(p[0], &c, 1) == 1;
	}
	return (void *)passed;
}

CHECK(pipe_between_threads)
{
	long results[THREADS];
	need(pipe(p));
	run(pass_tokens, results);
	for (int i = 0; i < THREADS; i++)
		show(results[i]);
}

static volatile pid_t holder;

static void *read_its_descriptors(void *unused UNUSED)
{
	char path[64], names[2048];
	while (!stop) {
		snprintf(path, sizeof path, "/proc/%d/fd", holder);
		int dir = open(path, O_RDONLY | O_DIRECTORY);
		while (dir >= 0 && syscall(SYS_getdents64, dir, names, sizeof names) > 0)
			;
		close(dir);
	}
	return NULL;
}

// Whoever looks at the table of a process that ends does not keep its locks alive.
CHECK(a_look_does_not_keep_the_table)
{
	pthread_t readers[2];
	long left = 0;
	int fd = need(open("f", O_CREAT | O_RDWR, 0644));
	stop = 0;
	holder = getpid();
	for (int i = 0; i < 2; i++)
		pthread_create(&readers[i], NULL, read_its_descriptors, NULL);
	for (int i = 0; i < 100; i++) {
		struct flock lock = { .l_type = F_WRLCK };
		int ready[2];
		char c;
		need(pipe(ready));
		pid_t child = start();
		if (child == 0) {
			fcntl(fd, F_SETLK, &lock);
			write(ready[1], "x", 1);
			_exit(0);
		}
		holder = child;
		read(ready[0], &c, 1);
		waitpid(child, NULL, 0);
		fcntl(fd, F_GETLK, &lock);
		left += lock.l_type != F_UNLCK;
		close(ready[0]);
		close(ready[1]);
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(readers[i], NULL);
	show(left);
}

static volatile pid_t sleeper;
static int listener;

static void *accept_one(void *unused UNUSED)
{
	sleeper = gettid();
	return (void *)(long)accept(listener, NULL, NULL);
}

static void *open_fifo(void *unused UNUSED)
{
	sleeper = gettid();
	return (void *)(long)open("fifo", O_RDONLY);
}

static pthread_t start_sleeper(void *(*body)(void *))
{
	pthread_t thread;
	sleeper = 0;
	pthread_create(&thread, NULL, body, NULL);
	while (sleeper == 0)
		sched_yield();
	wait_asleep(sleeper);
	return thread;
}

// The number is chosen before the call sleeps, and is nobody else's meanwhile.
CHECK(a_sleeping_call_holds_its_number)
{
	struct sockaddr_un name = { AF_UNIX, "socket" };
	void *result;
	int fds[2];
	listener = need(socket(AF_UNIX, SOCK_STREAM, 0));
	need(bind(listener, (struct sockaddr *)&name, sizeof name));
	need(listen(listener, 1));
	pthread_t thread = start_sleeper(accept_one);
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	show(client);
	show(dup2(0, 4));
	show(close(4));
	show(fcntl(4, F_GETFD));
	show(connect(client, (struct sockaddr *)&name, sizeof name));
	pthread_join(thread, &result);
	show((long)result);
	need(mkfifo("fifo", 0600));
	thread = start_sleeper(open_fifo);
	show(pipe(fds));
	show(fds[0]);
	show(open("fifo", O_WRONLY));
	pthread_join(thread, &result);
	show((long)result);
}

// A table without room is noticed before anything is made or taken.
CHECK(a_full_table_makes_nothing)
{
	struct sockaddr_un name = { AF_UNIX, "socket" };
	struct rlimit few = { 5, 5 };
	listener = need(socket(AF_UNIX, SOCK_STREAM, 0));
	need(bind(listener, (struct sockaddr *)&name, sizeof name));
	need(listen(listener, 1));
	int client = need(socket(AF_UNIX, SOCK_STREAM, 0));
	show(connect(client, (struct sockaddr *)&name, sizeof name));
	need(setrlimit(RLIMIT_NOFILE, &few));
	show(open("new", O_CREAT | O_RDWR, 0644));
	show(access("new", F_OK));
	show(accept(listener, NULL, NULL));
	close(0);
	show(accept(listener, NULL, NULL));
}

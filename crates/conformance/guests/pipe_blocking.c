// pipe_blocking.c: pipes between processes and threads: who sleeps, who wakes, what a signal interrupts.
//
// Calls: pipe2 read write close
// Passes: host acrida
#include "check.h"
#include <pthread.h>

static int p[2];
static char block[1 << 17];

static int queued(void)
{
	int bytes = -1;
	ioctl(p[0], FIONREAD, &bytes);
	return bytes;
}

static void fill(void)
{
	fcntl(p[1], F_SETFL, O_NONBLOCK);
	while (write(p[1], block, 4096) > 0)
		;
	fcntl(p[1], F_SETFL, 0);
}

CHECK(reader_wakes)
{
	need(pipe(p));
	pid_t pid = start();
	if (pid == 0) {
		close(p[1]);
		show(read(p[0], block, 100));
		show_bytes("got", block, 5);
		show(read(p[0], block, 100));
		_exit(0);
	}
	wait_asleep(pid);
	need(write(p[1], "hello", 5));
	while (queued())
		sched_yield();
	wait_asleep(pid);
	close(p[1]);
	reap("reader", pid);
}

CHECK(writer_wakes)
{
	need(pipe(p));
	fill();
	pid_t pid = start();
	if (pid == 0) {
		show(write(p[1], block, 1));
		_exit(0);
	}
	wait_asleep(pid);
	// Less than a page does not make a slot free.
	show(read(p[0], block, 4095));
	show(queued());
	need(read(p[0], block, 1));
	reap("writer", pid);
	show(queued());
}

CHECK(large_write_is_taken_in_pieces)
{
	need(pipe(p));
	memset(block, 'w', sizeof block);
	pid_t pid = start();
	if (pid == 0) {
		close(p[0]);
		show(write(p[1], block, sizeof block));
		_exit(0);
	}
	close(p[1]);
	long total = 0, got;
	while ((got = read(p[0], block, 1000)) > 0)
		total += got;
	reap("writer", pid);
	show(total);
}

CHECK(reader_interrupted)
{
	need(pipe(p));
	pid_t pid = start();
	if (pid == 0) {
		let_interrupt(SIGUSR1);
		show(read(p[0], block, 1));
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	reap("reader", pid);
	pid = start();
	if (pid == 0) {
		struct sigaction action = { .sa_handler = do_nothing, .sa_flags = SA_RESTART };
		sigaction(SIGUSR1, &action, NULL);
		show(read(p[0], block, 1));
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	wait_asleep(pid);
	write(p[1], "x", 1);
	reap("restarted reader", pid);
}

CHECK(writer_interrupted)
{
	need(pipe(p));
	fill();
	pid_t pid = start();
	if (pid == 0) {
		let_interrupt(SIGUSR1);
		show(write(p[1], block, 1));
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	reap("writer of one byte", pid);
	need(pipe(p));
	pid = start();
	if (pid == 0) {
		let_interrupt(SIGUSR1);
		show(write(p[1], block, sizeof block));
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	reap("writer of much", pid);
	show(queued());
}

CHECK(reader_dies_under_a_writer)
{
	need(pipe(p));
	fill();
	pid_t pid = start();
	if (pid == 0) {
		close(p[0]);
		write(p[1], block, 1);
		_exit(0);
	}
	wait_asleep(pid);
	close(p[0]);
	reap("one byte", pid);

	need(pipe(p));
	pid = start();
	if (pid == 0) {
		close(p[0]);
		signal(SIGPIPE, SIG_IGN);
		show(write(p[1], block, sizeof block));
		show(write(p[1], block, sizeof block));
		_exit(0);
	}
	wait_asleep(pid);
	close(p[0]);
	reap("partly written", pid);
}

CHECK(writers_stay_atomic)
{
	enum { WRITERS = 4, ROUNDS = 200, LENGTH = 3000 };
	need(pipe(p));
	pid_t pids[WRITERS];
	for (int i = 0; i < WRITERS; i++) {
		pids[i] = start();
		if (pids[i] == 0) {
			close(p[0]);
			memset(block, 'A' + i, LENGTH);
			for (int k = 0; k < ROUNDS; k++)
				if (write(p[1], block, LENGTH) != LENGTH)
					_exit(1);
			_exit(0);
		}
	}
	close(p[1]);
	long counts[WRITERS] = { 0 }, torn = 0;
	for (;;) {
		long have = 0, got = 1;
		while (have < LENGTH && (got = read(p[0], block + have, LENGTH - have)) > 0)
			have += got;
		if (got <= 0)
			break;
		for (int i = 1; i < LENGTH; i++)
			torn += block[i] != block[0];
		counts[block[0] - 'A']++;
	}
	for (int i = 0; i < WRITERS; i++) {
		reap("writer", pids[i]);
		show(counts[i]);
	}
	show(torn);
}

static volatile pid_t reader;

static void *blocking_read(void *unused UNUSED)
{
	static char c;
	reader = gettid();
	return (void *)read(p[0], &c, 1);
}

CHECK(close_does_not_wake_a_read_in_flight)
{
	need(pipe(p));
	pthread_t thread;
	int keep = dup(p[0]);
	reader = 0;
	pthread_create(&thread, NULL, blocking_read, NULL);
	while (!reader)
		sched_yield();
	wait_asleep(reader);
	show(close(p[0]));
	show(write(p[1], "z", 1));
	void *result;
	pthread_join(thread, &result);
	show((long)result);
	close(keep);
}

CHECK(ends_shared_by_fork)
{
	need(pipe(p));
	pid_t pid = start();
	if (pid == 0) {
		close(p[0]);
		read(0, block, 0);
		write(p[1], "from child", 10);
		_exit(0);
	}
	close(p[1]);
	long total = 0, got;
	while ((got = read(p[0], block + total, 100)) > 0)
		total += got;
	show_bytes("all", block, total);
	reap("child", pid);
}

CHECK(ping_pong)
{
	int q[2];
	need(pipe(p));
	need(pipe(q));
	pid_t pid = start();
	if (pid == 0) {
		unsigned char c;
		close(p[1]);
		while (read(p[0], &c, 1) == 1) {
			c++;
			write(q[1], &c, 1);
		}
		_exit(0);
	}
	unsigned char c = 0;
	for (int i = 0; i < 1000; i++) {
		write(p[1], &c, 1);
		read(q[0], &c, 1);
	}
	say("last byte %d", c);
	close(p[1]);
	reap("child", pid);
}

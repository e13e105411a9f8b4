// mq_notify.c: being told of a message: once, by whom, not when somebody waits, not after close.
//
// Calls: mq_notify mq_open mq_timedsend
// Passes: host acrida
// Needs: root
#include "process.h"
#include <mqueue.h>
#include <sys/socket.h>

static volatile sig_atomic_t told;
static siginfo_t last;

static void on_message(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	last = *info;
	told++;
}

// The name is gone before anything can fail: nothing stays behind.
static mqd_t make(void)
{
	char name[40];
	struct mq_attr attr = { .mq_maxmsg = 5, .mq_msgsize = 20 };
	snprintf(name, sizeof name, "/acrida.notify.%d", getpid());
	mqd_t queue = need(mq_open(name, O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attr));
	mq_unlink(name);
	return queue;
}

static struct sigevent by_signal(int signo)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = signo, .sigev_value.sival_int = 77 };
	return event;
}

static void empty(mqd_t queue)
{
	char text[20];
	while (mq_receive(queue, text, sizeof text, NULL) >= 0)
		;
}

CHECK(once)
{
	mqd_t queue = make();
	struct sigevent event = by_signal(SIGUSR1);
	told = 0;
	handle_info(SIGUSR1, on_message, 0);
	show(mq_notify(queue, &event));
	show(mq_notify(queue, &event));
	show(mq_send(queue, "one", 3, 0));
	say("told %d, code %d, value %d, pid mine %d, uid %d", told, last.si_code, last.si_value.sival_int, last.si_pid == getpid(),
	    last.si_uid);
	show(mq_send(queue, "two", 3, 0));
	say("told %d", told);
	show(mq_notify(queue, &event));
	show(mq_send(queue, "three", 5, 0));
	say("told %d: the queue was not empty", told);
	empty(queue);
	show(mq_send(queue, "four", 4, 0));
	say("told %d", told);
	show(mq_notify(queue, NULL));
	show(mq_notify(queue, &event));
	show(mq_notify(queue, NULL));
	empty(queue);
	show(mq_send(queue, "five", 4, 0));
	say("told %d", told);
}

CHECK(from_another_process)
{
	mqd_t queue = make();
	struct sigevent event = by_signal(SIGRTMIN + 1);
	told = 0;
	handle_info(SIGRTMIN + 1, on_message, 0);
	block(SIG_BLOCK, SIGRTMIN + 1);
	show(mq_notify(queue, &event));
	IN_CHILD("sender")
	{
		show(mq_notify(queue, &event));
		show(mq_notify(queue, NULL));
		show(mq_send(queue, "x", 1, 0));
	}
	say("pending %d", is_pending(SIGRTMIN + 1));
	block(SIG_UNBLOCK, SIGRTMIN + 1);
	say("told %d, from me %d, value %d", told, last.si_pid == getpid(), last.si_value.sival_int);
}

CHECK(not_when_somebody_waits)
{
	mqd_t queue = make();
	struct sigevent event = by_signal(SIGUSR1);
	struct mq_attr blocks = { .mq_flags = 0 };
	told = 0;
	handle_info(SIGUSR1, on_message, 0);
	mq_setattr(queue, &blocks, NULL);
	show(mq_notify(queue, &event));
	pid_t child = start();
	if (child == 0) {
		char text[20];
		_exit(mq_receive(queue, text, sizeof text, NULL));
	}
	wait_asleep(child);
	show(mq_send(queue, "abc", 3, 0));
	reap("waiter", child);
	say("told %d", told);
	show(mq_send(queue, "abc", 3, 0));
	say("told %d", told);
}

CHECK(close_forgets)
{
	mqd_t queue = make();
	mqd_t copy = dup(queue);
	struct sigevent event = by_signal(SIGUSR1);
	told = 0;
	handle_info(SIGUSR1, on_message, 0);
	show(mq_notify(queue, &event));
	close(copy);
	show(mq_notify(queue, &event));
	IN_CHILD("registers and ends")
	{
		mq_notify(queue, NULL);
		say("again %s", mq_notify(queue, &event) ? errno_name(errno) : "ok");
	}
	say("mine still: %s", mq_notify(queue, &event) ? errno_name(errno) : "ok");
	show(mq_notify(queue, NULL));
	IN_CHILD("registers and ends")
	{
		show(mq_notify(queue, &event));
	}
	show(mq_notify(queue, &event));
	show(mq_send(queue, "x", 1, 0));
	say("told %d", told);
}

static volatile int thread_told;

static void in_thread(union sigval value)
{
	__atomic_store_n(&thread_told, value.sival_int, __ATOMIC_SEQ_CST);
}

CHECK(by_a_thread)
{
	mqd_t queue = make();
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 1, .sigev_notify_function = in_thread };
	IN_CHILD("process")
	{
		for (int i = 1; i <= 2; i++) {
			event.sigev_value.sival_int = i;
			show(mq_notify(queue, &event));
			show(mq_send(queue, "x", 1, 0));
			while (__atomic_load_n(&thread_told, __ATOMIC_SEQ_CST) != i)
				sched_yield();
			say("told %d", thread_told);
			empty(queue);
		}
		show(mq_notify(queue, &event));
		show(mq_notify(queue, NULL));
		show(mq_send(queue, "x", 1, 0));
		say("told %d", thread_told);
	}
	char cookie[32] = "";
	struct sigevent plain = { .sigev_notify = SIGEV_THREAD, .sigev_signo = 999, .sigev_value.sival_ptr = cookie };
	report_result("no socket", raw(SYS_mq_notify, queue, &plain));
	plain.sigev_signo = queue;
	report_result("another file", raw(SYS_mq_notify, queue, &plain));
	plain.sigev_signo = socket(AF_UNIX, SOCK_STREAM, 0);
	report_result("another socket", raw(SYS_mq_notify, queue, &plain));
	plain.sigev_value.sival_ptr = BAD;
	report_result("no cookie", raw(SYS_mq_notify, queue, &plain));
	plain.sigev_signo = 999;
	report_result("neither", raw(SYS_mq_notify, queue, &plain));
}

CHECK(kinds_and_errors)
{
	mqd_t queue = make();
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	char text[200];
	show(mq_notify(queue, &event));
	long length = pread(queue, text, sizeof text, 0);
	show_bytes("none", text, length > 50 ? 50 : length);
	show(mq_notify(queue, &event));
	show(mq_send(queue, "x", 1, 0));
	show(mq_notify(queue, &event));
	show(mq_notify(queue, NULL));
	event.sigev_notify = 9;
	show(mq_notify(queue, &event));
	show(mq_notify(999, &event));
	event = by_signal(65);
	show(mq_notify(queue, &event));
	event.sigev_signo = -1;
	show(mq_notify(queue, &event));
	event.sigev_signo = 0;
	show(mq_notify(queue, &event));
	show(mq_notify(queue, NULL));
	event = by_signal(SIGUSR1);
	show(mq_notify(999, &event));
	show(mq_notify(1, &event));
	show(mq_notify(999, NULL));
	show(raw(SYS_mq_notify, queue, BAD));
}

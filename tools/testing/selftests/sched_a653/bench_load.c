// SPDX-License-Identifier: GPL-2.0
/*
 * Threads with reservations on one CPU, and what they cost
 *
 * All threads of the CPU spin in one loop, and count how often. Under --icount a
 * turn of it always takes the same time. So the counters tell how long each thread
 * was in user mode, and what is missing of the time on the clock went to the kernel.
 */
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include "bench.h"
#include "servers.h"

struct thread {
	_Atomic uint64_t loops;
	_Atomic long jobs, missed;
	_Atomic long chunks;
	_Atomic long worst;	/* the fewest in a period */
	pthread_t id;
	pid_t tid;
	int64_t period;
	int64_t release;	/* one of those of its periods */
	uint64_t work;		/* loops of a job, 0: no end of it */
} __attribute__((aligned(64)));

struct snapshot {
	int64_t at;
	uint64_t loops[LOAD_MAX + 2];
	long chunks;
	long jobs, missed;
	long switches;
	int64_t kernel_at;
	struct a653_cpu_stat cpu;
	uint64_t replenished;
};

/* Not there before load_init(): what is measured first shall not have to carry it */
static struct thread *threads;
static struct a653_server_stat *server_stats;
static struct snapshot *before, *after;
static _Atomic int ready, gate, stop;
static int64_t begin;
/* A turn of the loop; and what a chunk of CHUNK of them takes besides these */
static double loop_ns, chunk_ns;
#define CHUNK		250

static __attribute__((noinline)) void turn(_Atomic uint64_t *loops, uint64_t n)
{
	uint64_t i = atomic_load_explicit(loops, memory_order_relaxed), end = i + n;

	while (i != end && !atomic_load_explicit(&stop, memory_order_relaxed))
		atomic_store_explicit(loops, ++i, memory_order_relaxed);
}

/* @n chunks of the loop, and how many there were in each of its periods */
static __attribute__((noinline)) void chunks(struct thread *t, int64_t edge, long n)
{
	long in_period = 0;

	while (n-- && !atomic_load_explicit(&stop, memory_order_relaxed)) {
		turn(&t->loops, CHUNK);
		atomic_store_explicit(&t->chunks, t->chunks + 1, memory_order_relaxed);
		in_period++;
		for (; now_ns() >= edge; edge += t->period) {
			if (in_period < t->worst)
				t->worst = in_period;
			in_period = 0;
		}
	}
}

static void *thread_main(void *arg)
{
	struct thread *t = arg;
	int64_t release;

	t->tid = gettid();
	atomic_fetch_add(&ready, 1);
	while (!atomic_load(&gate))
		futex_wait(&gate, 0, 0);
	release = t->release;
	if (t->period) {
		if (release < begin)
			release += (begin - release + t->period - 1) / t->period * t->period;
		pass_until(release);
	}
	if (!t->period)
		turn(&t->loops, UINT64_MAX);
	else if (!t->work)
		chunks(t, release + t->period, LONG_MAX);
	while (!atomic_load(&stop)) {
		turn(&t->loops, t->work);
		release += t->period;
		if (now_ns() > release)
			atomic_fetch_add(&t->missed, 1);
		atomic_fetch_add(&t->jobs, 1);
		pass_until(release);
	}
	return NULL;
}

static void thread_start(struct thread *t)
{
	pthread_attr_t attr;
	int rc;

	memset(t, 0, sizeof(*t));
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 4 * PTHREAD_STACK_MIN);
	rc = pthread_create(&t->id, &attr, thread_main, t);
	ASSERT(!rc, "thread: %s", strerror(rc));
	pthread_attr_destroy(&attr);
}

static void read_servers(struct a653_servers *h, struct a653_cpu_stat *cpu)
{
	int rc;

	*h = (struct a653_servers){
		.size = sizeof(*h), .nr_servers = LOAD_MAX,
		.server_size = sizeof(server_stats[0]),
		.servers = (uintptr_t)server_stats,
		.nr_cpus = 1, .cpu_size = sizeof(*cpu), .cpus = (uintptr_t)cpu,
	};
	rc = a653_ioctl(A653_IOC_SERVERS, h);
	ASSERT(!rc, "servers: %s", strerror(-rc));
}

static long read_switches(void)
{
	FILE *f = fopen("/proc/stat", "r");
	char line[1024];
	long n = -1;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "ctxt %ld", &n);
	if (f)
		fclose(f);
	return n;
}

/* Threads may run in between: take the shortest of some tries */
static void read_loops(struct snapshot *s, int n)
{
	uint64_t loops[LOAD_MAX + 2];
	int64_t best = INT64_MAX, a, b;
	int i, try;

	for (try = 0; try < 5; try++) {
		a = now_ns();
		for (i = 0; i < n; i++)
			loops[i] = atomic_load_explicit(&threads[i].loops,
							memory_order_relaxed);
		b = now_ns();
		if (b - a < best) {
			best = b - a;
			s->at = a;
			memcpy(s->loops, loops, n * sizeof(loops[0]));
		}
	}
}

static void read_kernel(struct snapshot *s)
{
	struct a653_servers h;
	unsigned int i;

	s->switches = read_switches();
	read_servers(&h, &s->cpu);
	s->kernel_at = h.now_ns;
	s->replenished = 0;
	for (i = 0; i < h.nr_servers; i++)
		s->replenished += server_stats[i].replenished;
}

static void read_jobs(struct snapshot *s, int n)
{
	int i;

	s->jobs = 0;
	s->missed = 0;
	s->chunks = 0;
	for (i = 0; i < n; i++) {
		s->chunks += atomic_load(&threads[i].chunks);
		s->jobs += atomic_load(&threads[i].jobs);
		s->missed += atomic_load(&threads[i].missed);
	}
}

/* One of them is without an interrupt */
static double shortest(void (*fn)(void))
{
	int64_t best = INT64_MAX, t;
	int i;

	for (i = 0; i < 50; i++) {
		t = now_ns();
		fn();
		t = now_ns() - t;
		if (t < best)
			best = t;
	}
	return best;
}

#define CALIBRATE_CHUNKS	200

static void calibrate_loop(void)
{
	turn(&threads[0].loops, CALIBRATE_CHUNKS * CHUNK);
}

static void calibrate_chunk(void)
{
	chunks(&threads[0], INT64_MAX, CALIBRATE_CHUNKS);
}

static void *zeroed(size_t size)
{
	void *p = aligned_alloc(64, (size + 63) / 64 * 64);

	ASSERT(p, "no memory");
	return memset(p, 0, size);
}

void load_init(void)
{
	threads = zeroed((LOAD_MAX + 2) * sizeof(*threads));
	server_stats = zeroed(LOAD_MAX * sizeof(*server_stats));
	before = zeroed(sizeof(*before));
	after = zeroed(sizeof(*after));
	loop_ns = shortest(calibrate_loop) / (CALIBRATE_CHUNKS * CHUNK);
	chunk_ns = shortest(calibrate_chunk) / CALIBRATE_CHUNKS - CHUNK * loop_ns;
}

/* Their periods begin one after the other, by l->step */
static void set_reservations(const struct load *l)
{
	int64_t start = now_ns() + MS;
	struct a653_cpu_stat cpu;
	struct a653_servers h;
	unsigned int s;
	int i, rc;

	for (i = 0; i < l->n; i++) {
		struct thread *t = &threads[i];

		pass_until(start + i * l->step);
		if (l->policy == SCHED_RTDS) {
			rc = set_rtds(t->tid, l->budget[i], l->period[i], 0);
		} else {
			struct attr a = {
				.size = sizeof(a), .policy = SCHED_DEADLINE,
				.runtime = l->budget[i], .deadline = l->period[i],
				.period = l->period[i],
			};

			rc = set_attr(t->tid, &a);
		}
		ASSERT(!rc, "%s: thread %d, %lld of %lld: %s", l->name, i,
		       (long long)l->budget[i], (long long)l->period[i], strerror(-rc));
		t->period = l->period[i];
		t->release = start + i * l->step;
		t->work = l->budget[i] * l->work / loop_ns;
	}
	if (l->policy != SCHED_RTDS)
		return;
	/* A job is released when a period of its server begins */
	read_servers(&h, &cpu);
	for (i = 0; i < l->n; i++) {
		for (s = 0; s < h.nr_servers; s++)
			if (server_stats[s].pid == (uint32_t)threads[i].tid)
				break;
		ASSERT(s < h.nr_servers, "no server of thread %d", i);
		threads[i].release = server_stats[s].deadline_ns;
	}
}

static struct load_result result_of(const struct load *l)
{
	double ns = after->at - before->at, kernel_s = (after->kernel_at - before->kernel_at) / 1e9;
	struct load_result r = { .name = l->name, .n = l->n, .received = 1, .worst = 1 };
	double used, wanted, all = (after->chunks - before->chunks) * chunk_ns;
	int i;

	for (i = 0; i < l->n + 2; i++) {
		used = (after->loops[i] - before->loops[i]) * loop_ns;
		all += used;
		if (i >= l->n)
			continue;
		wanted = ns * l->budget[i] / l->period[i];
		if (l->work)
			wanted *= l->work;
		else
			used += used / (CHUNK * loop_ns) * chunk_ns;
		if (used / wanted < r.received)
			r.received = used / wanted;
		used = threads[i].worst * (CHUNK * loop_ns + chunk_ns);
		if (!l->work && used / l->budget[i] < r.worst)
			r.worst = used / l->budget[i];
		r.replenished += 1e9 / l->period[i];
	}
	r.lost = 1 - all / ns;
	r.jobs = after->jobs - before->jobs;
	r.missed = after->missed - before->missed;
	r.switches = (after->switches - before->switches) / kernel_s;
	r.due_timers = (after->cpu.due_timers - before->cpu.due_timers) / kernel_s;
	r.due_idle = (after->cpu.due_idle - before->cpu.due_idle) / kernel_s;
	r.budget_timers = (after->cpu.budget_timers - before->cpu.budget_timers) / kernel_s;
	r.picked = (after->cpu.picked - before->cpu.picked) / kernel_s;
	/* Those that spin cannot miss one */
	if (l->policy == SCHED_RTDS && !l->work && l->n)
		r.replenished = (after->replenished - before->replenished) / kernel_s;
	return r;
}

struct load_result load_run(const struct load *l)
{
	int i, rc, n = l->n + 1 + l->fifo;
	int64_t longest = 0;

	atomic_store(&ready, 0);
	atomic_store(&gate, 0);
	atomic_store(&stop, 0);
	memset(&threads[l->n], 0, 2 * sizeof(threads[0]));
	for (i = 0; i < n; i++)
		thread_start(&threads[i]);
	WAIT_FOR(atomic_load(&ready) == n, "threads");
	pass(5 * MS);
	if (l->fifo) {
		rc = set_policy(threads[n - 1].tid, SCHED_FIFO, 90);
		ASSERT(!rc, "policy of a hog: %s", strerror(-rc));
	}
	set_reservations(l);
	for (i = 0; i < l->n; i++)
		if (l->period[i] > longest)
			longest = l->period[i];
	begin = now_ns() + 10 * MS;
	futex_post(&gate);

	/* Until all have begun, and what came with that is over */
	pass_until(begin + 2 * longest + 20 * MS);
	read_kernel(before);
	for (i = 0; i < n; i++)
		threads[i].worst = LONG_MAX;
	read_jobs(before, n);
	read_loops(before, l->n + 2);
	pass_until(before->at + l->length);
	read_loops(after, l->n + 2);
	read_jobs(after, n);
	read_kernel(after);

	atomic_store(&stop, 1);
	/* Not to wait for the next budget */
	for (i = 0; i < l->n; i++)
		set_policy(threads[i].tid, SCHED_OTHER, 0);
	for (i = 0; i < n; i++)
		pthread_join(threads[i].id, NULL);
	/* SCHED_DEADLINE keeps for a while what they were promised */
	if (l->policy == SCHED_DEADLINE)
		pass(2 * longest);
	return result_of(l);
}

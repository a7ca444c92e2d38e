// SPDX-License-Identifier: GPL-2.0
/*
 * How soon after its start does a window belong to its task? Then the servers, in
 * bench_servers.c.
 *
 * A SCHED_A653 task that spins reads the time stamp counter in a tight loop. A
 * hole in what it reads is a time in which it did not run; what it reads after
 * the hole is its first instruction in a window, and the table tells when that
 * window should have started. Beside it a SCHED_FIFO 99 task sleeps until
 * absolute times, as cyclictest does, at the same interval, in gaps of the table.
 * A SCHED_FIFO 90 and an ordinary hog take all that is left.
 *
 * Meant for one CPU under QEMU's --icount, where a figure repeats to the
 * microsecond. Prints tables, and the same as JSON into the directory that is named.
 */
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bench.h"

#define MAX_SAMPLES	4000
/* A hole longer than this is not an interrupt */
#define HOLE_NS		(40 * US)

struct samples {
	_Atomic int nr;
	int wanted;
	int64_t pitch;		/* between two windows of the partition */
	int64_t base;
	int64_t ns[MAX_SAMPLES];
};

struct result {
	const char *name;
	int nr;
	int64_t min, median, p99, p999, max;
};

static struct result results[16];
static int nr_results;
static struct samples *window_samples, *fifo_samples;

#if defined(__x86_64__)
static inline int64_t stamp(void)
{
	return __builtin_ia32_rdtsc();
}
#else
static inline int64_t stamp(void)
{
	return now_ns();
}
#endif

/* Stamps per nanosecond, and what the clock says at a stamp just taken */
static double stamp_ns;

static void stamp_calibrate(void)
{
	int64_t t = now_ns(), s = stamp();

	spin_ns(20 * MS);
	stamp_ns = (double)(now_ns() - t) / (stamp() - s);
}

static int64_t stamp_to_ns(int64_t s)
{
	int64_t best = INT64_MAX, at = 0;
	int i;

	/* the clock belongs into the middle of the shortest of some tries */
	for (i = 0; i < 3; i++) {
		int64_t a = stamp(), ns = now_ns(), b = stamp();

		if (b - a < best) {
			best = b - a;
			at = ns - (int64_t)(((a + b) / 2 - s) * stamp_ns);
		}
	}
	return at;
}

static void sample(struct samples *s, int64_t late)
{
	int nr = atomic_load_explicit(&s->nr, memory_order_relaxed);

	s->ns[nr++] = late;
	atomic_store(&s->nr, nr);
}

static void window_sampler(struct worker *w)
{
	struct samples *s = window_samples;
	int64_t hole = HOLE_NS / stamp_ns;
	int64_t last = stamp();

	(void)w;
	while (s->nr < s->wanted) {
		int64_t t = stamp();

		if (t - last > hole) {
			sample(s, (stamp_to_ns(t) - s->base) % s->pitch);
			t = stamp();
		}
		last = t;
	}
}

static void fifo_sampler(struct worker *w)
{
	struct samples *s = fifo_samples;
	int64_t at = s->base;

	(void)w;
	while (at < now_ns())
		at += s->pitch;
	while (s->nr < s->wanted) {
		struct timespec ts = to_timespec(at += s->pitch);

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		sample(s, stamp_to_ns(stamp()) - at);
	}
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static struct result *report(const char *name, struct samples *s)
{
	struct result *r = &results[nr_results++];
	int n = s->nr;

	qsort(s->ns, n, sizeof(s->ns[0]), compare);
	*r = (struct result){
		.name = name, .nr = n, .min = s->ns[0], .median = s->ns[n / 2],
		.p99 = s->ns[(long)n * 99 / 100], .p999 = s->ns[(long)n * 999 / 1000],
		.max = s->ns[n - 1],
	};
	printf("%-34s %5d %8lld %8lld %9lld %9lld %9lld\n", name, n, (long long)r->min,
	       (long long)r->median, (long long)r->p99, (long long)r->p999,
	       (long long)r->max);
	fflush(stdout);
	return r;
}

static struct samples *new_samples(void)
{
	return mmap(NULL, sizeof(struct samples), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
}

static void begin_samples(struct samples *s, int wanted, int64_t pitch, int64_t base)
{
	s->wanted = wanted;
	s->pitch = pitch;
	s->base = base;
	atomic_store(&s->nr, 0);
}

/*
 * A frame of @windows slots. The partition that is measured has each @every-th
 * one, the others take turns. One more has windows in a schedule of its own,
 * which is never in force.
 */
static struct conf *table(int windows, int every, int parts, int64_t slot, int64_t length)
{
	struct conf *f = conf_new("bench", 1);
	char name[16];
	int i, turn = 0;

	for (i = 0; i < parts; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		conf_part(f, name, 0, 0);
	}
	conf_part(f, "closed", 0, 0);
	conf_sched(f, "measured", windows * slot, 0);
	for (i = 0; i < windows; i++)
		conf_win(f, i % every ? 1 + turn++ % (parts - 1) : 0, 0, i * slot, length, 0);
	conf_sched(f, "other", 10 * MS, 0);
	conf_win(f, parts, 0, 0, MS, 0);
	return f;
}

static void hog_forever(struct worker *w)
{
	(void)w;
	for (;;)
		;
}

static struct worker *hog_start(int policy, int prio)
{
	struct worker *w = worker_new("hog", hog_forever);

	worker_fork(w);
	WAIT_FOR(atomic_load(&w->done), "hog");
	if (policy != SCHED_OTHER)
		ASSERT(!set_policy(w->pid, policy, prio), "policy of a hog");
	return w;
}

/* All before any: they need the CPU to die */
static void kill_workers(struct worker **w, int n)
{
	int i;

	for (i = 0; i < n; i++)
		kill(w[i]->pid, SIGKILL);
	for (i = 0; i < n; i++) {
		waitpid(w[i]->pid, NULL, 0);
		w[i]->pid = 0;
	}
}

/* Measure with a table; the name is that of the row. With @fifo both. */
static struct result *measure(const char *name, struct conf *f, int every, int64_t slot,
			      int n, int waiting, const char *fifo)
{
	struct worker *w, *fw = NULL, *h[2], **closed;
	struct a653_status st;
	struct result *r;
	int i;

	cgroups_for(f);
	conf_start(f);
	get_status("bench", &st);

	begin_samples(window_samples, n, every * slot, st.base_ns);
	/* in a gap */
	begin_samples(fifo_samples, n, every * slot, st.base_ns + slot * 7 / 10);

	closed = calloc(waiting + 1, sizeof(*closed));
	for (i = 0; i < waiting; i++) {
		closed[i] = worker_in("closed", 1 + i % 99, 0, "closed", spinner);
		worker_go(closed[i]);
	}
	w = worker_in("p0", 50, 0, "window", window_sampler);
	if (fifo) {
		fw = worker_new("fifo", fifo_sampler);
		worker_fork(fw);
		WAIT_FOR(atomic_load(&fw->done), "waker");
		ASSERT(!set_policy(fw->pid, SCHED_FIFO, 99), "FIFO");
	}
	h[0] = hog_start(SCHED_FIFO, 90);
	h[1] = hog_start(SCHED_OTHER, 0);
	for (i = 0; i < 2; i++)
		worker_go(h[i]);
	worker_go(w);
	if (fw)
		worker_go(fw);
	while (window_samples->nr < n || (fw && fifo_samples->nr < n))
		pass(50 * MS);

	kill_workers(h, 2);
	waitpid(w->pid, NULL, 0);
	if (fw)
		waitpid(fw->pid, NULL, 0);
	r = report(name, window_samples);
	if (fw)
		report(fifo, fifo_samples);
	unload("bench", A653_REQUEST_FORCE);
	kill_workers(closed, waiting);
	free(closed);
	cgroup_remove_all();
	free(f);
	return r;
}

static long percpu_kib(void)
{
	char line[128];
	long kib = 0;
	FILE *m = fopen("/proc/meminfo", "r");

	while (m && fgets(line, sizeof(line), m))
		sscanf(line, "Percpu: %ld", &kib);
	if (m)
		fclose(m);
	return kib;
}

/* Bytes for a partition on a CPU */
static long memory(void)
{
	struct conf *f = conf_new("bench", 1);
	long before;
	char name[16];
	int i;

	for (i = 0; i < A653_MAX_PARTITIONS; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		conf_part(f, name, 0, 0);
	}
	conf_sched(f, "memory", 10 * MS, 0);
	conf_win(f, 0, 0, 0, MS, 0);
	before = percpu_kib();
	conf_start(f);
	before = percpu_kib() - before;
	unload("bench", A653_REQUEST_FORCE);
	free(f);
	return before * 1024 / A653_MAX_PARTITIONS / sysconf(_SC_NPROCESSORS_CONF);
}

void print_goal(const char *what, double got, double limit)
{
	printf("%-60s %8.4f  (goal: at most %.2f)%s\n", what, got, limit,
	       got <= limit ? "" : "  MISSED");
}

/* How far apart two medians are, over the smaller one */
static double apart(const struct result *a, const struct result *b)
{
	int64_t lo = a->median < b->median ? a->median : b->median;

	return (double)llabs(a->median - b->median) / lo;
}

static void set_fair_server(const char *runtime)
{
	FILE *f = fopen("/sys/kernel/debug/sched/fair_server/cpu0/runtime", "w");

	if (f) {
		fputs(runtime, f);
		fclose(f);
	}
}

static void write_json(const char *dir, long bytes)
{
	char path[PATH_MAX];
	FILE *f;
	int i;

	snprintf(path, sizeof(path), "%s/bench.json", dir);
	f = fopen(path, "w");
	if (!f) {
		perror(path);
		exit(1);
	}
	fprintf(f, "{\n  \"unit\": \"ns\",\n  \"bytes_per_partition_and_cpu\": %ld,\n", bytes);
	fprintf(f, "  \"rows\": [\n");
	for (i = 0; i < nr_results; i++) {
		const struct result *r = &results[i];

		fprintf(f, "    {\"name\": \"%s\", \"samples\": %d, \"min\": %lld, \"median\": %lld,",
			r->name, r->nr, (long long)r->min, (long long)r->median);
		fprintf(f, " \"p99\": %lld, \"p99.9\": %lld, \"max\": %lld}%s\n",
			(long long)r->p99, (long long)r->p999, (long long)r->max,
			i + 1 < nr_results ? "," : "");
	}
	fprintf(f, "  ]\n}\n");
	fclose(f);
}

/* This program sleeps, but has to get its turn beside the hogs */
static void raise_priority(void)
{
	const struct sched_param above = { .sched_priority = 95 };

	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &above);
}

static void bench_windows(const char *dir)
{
	struct result *a, *b, *w4, *w512, *p2, *p128, *t1, *t1000;
	/* not a multiple of the tick: it shall hit all alike */
	const int64_t slot = 110300, wide = 2501500;
	long bytes;

	/* First: memory that another table gave back would be taken again */
	bytes = memory();
	window_samples = new_samples();
	fifo_samples = new_samples();
	stamp_calibrate();
	raise_priority();

	puts("From the start of a window, or the time to wake up, to the first instruction\n"
	     "in user mode, in ns:\n");
	printf("%-34s %5s %8s %8s %9s %9s %9s\n", "", "n", "min", "median", "p99", "p99.9",
	       "max");

	a = measure("window", table(4, 2, 2, wide, MS), 2, wide, 2000, 0, "FIFO 99");
	set_fair_server("0");
	b = measure("window, no fair server", table(4, 2, 2, wide, MS), 2, wide, 2000, 0,
		    "FIFO 99, no fair server");
	set_fair_server("50000000");
	w4 = measure("4 windows", table(4, 2, 2, slot, 100 * US), 2, slot, 2000, 0, NULL);
	w512 = measure("512 windows", table(512, 2, 2, slot, 100 * US), 2, slot, 2000, 0, NULL);
	p2 = measure("2 partitions", table(128, 128, 2, slot, 100 * US), 128, slot, 500, 0, NULL);
	p128 = measure("128 partitions", table(128, 128, 128, slot, 100 * US), 128, slot, 500,
		       0, NULL);
	t1 = measure("1 task in a closed partition", table(4, 2, 2, slot, 100 * US), 2, slot,
		     2000, 1, NULL);
	t1000 = measure("1000 tasks in a closed partition", table(4, 2, 2, slot, 100 * US), 2,
			slot, 2000, 1000, NULL);
	printf("\n");
	print_goal("window / FIFO 99, median", (double)a->median / a[1].median, 0.85);
	print_goal("window / FIFO 99, p99", (double)a->p99 / a[1].p99, 0.85);
	print_goal("window / FIFO 99, median, no fair server",
		   (double)b->median / b[1].median, 0.85);
	print_goal("window / FIFO 99, p99, no fair server", (double)b->p99 / b[1].p99, 0.85);
	print_goal("4 and 512 windows, medians apart", apart(w4, w512), 0.01);
	print_goal("2 and 128 partitions, medians apart", apart(p2, p128), 0.01);
	print_goal("1 and 1000 waiting tasks, medians apart", apart(t1, t1000), 0.01);
	print_goal("KiB for a partition on a CPU", bytes / 1024.0, 4);

	if (dir)
		write_json(dir, bytes);
}

/*
 * a653_bench [DIRECTORY [PART]]. A part is windows, servers, entries: all of these by
 * default; or scan: entries, on a kernel that scans, beside those of the other.
 */
int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : NULL;
	const char *part = argc > 2 ? argv[2] : NULL;

	unload_all();
	if (!part || !strcmp(part, "windows"))
		bench_windows(dir);
	raise_priority();
	load_init();
	if (!part || !strcmp(part, "servers"))
		bench_servers(dir);
	if (!part || !strcmp(part, "entries"))
		bench_entries(dir, false);
	if (part && !strcmp(part, "scan"))
		bench_entries(dir, true);
	return 0;
}

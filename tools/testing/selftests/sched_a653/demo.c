// SPDX-License-Identifier: GPL-2.0
/*
 * The demonstration that scripts/demo runs in a guest
 *
 * Loads a configuration with a653ctl, starts programs in its partitions with
 * `a653ctl run`, hogs beside them, and tells from the trace and the kernel's
 * counters what each partition got.
 *
 *	a653_demo CONFIG [SECONDS]	the demonstration
 *	a653_demo spin|wake		what runs in the partitions
 */
#include <linux/sched.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "lib.h"

#define COLUMNS		72
#define WAKE_PERIOD	(4 * MS)
#define IDLE		'.'
#define FIFO		'!'
#define OTHER		'o'

static struct conf *f;		/* what the kernel says is loaded */
static char letter[CONF_PARTITIONS];
static int64_t base;
static pid_t fifo[EV_CPUS], other[EV_CPUS];
static struct worker *hog_of[2 * EV_CPUS];
static int nr_hogs;

static const char *name_of(const char *name)
{
	static char buf[4][A653_NAME_LEN + 1];
	static int i;

	i = (i + 1) % 4;
	memcpy(buf[i], name, A653_NAME_LEN);
	return buf[i];
}

/* Read back, so that nothing is shown but what the kernel follows */
static void read_config(void)
{
	struct a653_status st = {
		.size = sizeof(st), .stat_size = sizeof(struct a653_stat),
	};
	int rc;
	unsigned int i;

	rc = a653_ioctl(A653_IOC_STATUS, &st);
	ASSERT(!rc || rc == -ENOSPC, "status: %s", strerror(-rc));
	f = conf_new(name_of(st.module), 0);
	f->c.nr_partitions = CONF_PARTITIONS;
	f->c.nr_schedules = CONF_SCHEDULES;
	f->c.nr_windows = CONF_WINDOWS;
	f->c.nr_cpu_words = CONF_CPU_WORDS;
	rc = a653_ioctl(A653_IOC_GET, &f->c);
	ASSERT(!rc, "read back: %s (%s)", strerror(-rc), f->reason);
	base = st.base_ns;
	for (i = 0; i < f->c.nr_partitions; i++)
		letter[i] = 'A' + i % 26;
	for (i = 0; i < f->c.nr_partitions; i++) {
		unsigned int k;
		char c = f->part[i].name[0] & ~0x20;

		for (k = 0; k < i && letter[k] != c; k++)
			;
		if (c >= 'A' && c <= 'Z' && k == i)
			letter[i] = c;
	}
}

static pid_t command(const char *const argv[])
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	ASSERT(pid >= 0, "fork: %s", strerror(errno));
	if (pid)
		return pid;
	execvp(argv[0], (char **)argv);
	perror(argv[0]);
	_exit(127);
}

static void must(const char *const argv[])
{
	int status;
	pid_t pid = command(argv);

	ASSERT(waitpid(pid, &status, 0) == pid && !status, "%s %s failed", argv[0], argv[1]);
}

static void new_hog(int policy, int prio, int cpu, const char *name, pid_t *pid)
{
	struct worker *w = worker_new(name, hog);

	worker_fork(w);
	WAIT_FOR(atomic_load(&w->done), "hog");
	ASSERT(!set_cpus(w->pid, 1ULL << cpu) && !set_policy(w->pid, policy, prio), "hog");
	*pid = w->pid;
	hog_of[nr_hogs++] = w;
}

static unsigned int frame_of(const struct conf *c)
{
	return c->sched[c->c.initial].major_frame_ns;
}

/* What of a CPU's major frame the windows of a partition take, in parts of 1 */
static double entitled(unsigned int part)
{
	unsigned int w, first = conf_first_win(f, f->c.initial);
	double ns = 0;

	for (w = first; w < first + f->sched[f->c.initial].nr_windows; w++)
		if (f->win[w].partition == part)
			ns += f->win[w].duration_ns;
	return ns / frame_of(f);
}

/* Partition of a process; -1: none */
static int part_of(const struct evlist *l, pid_t pid, int prio)
{
	unsigned int i;

	/* SCHED_A653 processes are named after their partition */
	if (prio >= 100)
		return -1;
	for (i = 0; i < f->c.nr_partitions; i++)
		if (!strncmp(ev_comm(l, pid), name_of(f->part[i].name), EV_COMM - 1))
			return i;
	return -1;
}

static char symbol(const struct evlist *l, pid_t pid, int prio, int cpu)
{
	int p = part_of(l, pid, prio);

	if (p >= 0)
		return letter[p];
	if (!pid)
		return IDLE;
	if (pid == fifo[cpu])
		return FIFO;
	return OTHER;
}

static void ruler(int64_t major)
{
	char line[COLUMNS + 16];
	int i, n = 0;

	memset(line, ' ', sizeof(line));
	for (i = 0; i <= 4; i++) {
		n = i * COLUMNS / 4;
		n += sprintf(line + n, "%.4gms", (double)major * i / 4 / MS);
		line[n] = i < 4 ? ' ' : 0;
	}
	printf("                %s\n", line);
}

static void chart_planned(int cpu, char *line)
{
	unsigned int w, first = conf_first_win(f, f->c.initial);
	int64_t major = frame_of(f), t;
	int i;

	memset(line, ' ', COLUMNS);
	line[COLUMNS] = 0;
	for (i = 0; i < COLUMNS; i++) {
		t = (2 * i + 1) * major / COLUMNS / 2;
		for (w = first; w < first + f->sched[f->c.initial].nr_windows; w++)
			if (f->win[w].cpu == (unsigned int)cpu &&
			    t >= (int64_t)f->win[w].offset_ns &&
			    t < (int64_t)(f->win[w].offset_ns + f->win[w].duration_ns))
				line[i] = letter[f->win[w].partition];
	}
}

/* Who ran the longest in each column */
static void chart_run(const struct evlist *l, int cpu, int64_t from, char *line)
{
	int64_t major = frame_of(f), share[COLUMNS][128] = { }, since = 0, a, b, lo, hi;
	char who = 0;
	size_t i;
	int k, c;

	for (i = 0; i < l->nr; i++) {
		const struct ev *e = &l->ev[i];

		if (e->type != EV_SWITCH || e->cpu != cpu)
			continue;
		for (k = 0; who && k < COLUMNS; k++) {
			lo = from + major * k / COLUMNS;
			hi = from + major * (k + 1) / COLUMNS;
			a = since > lo ? since : lo;
			b = (int64_t)e->ts < hi ? (int64_t)e->ts : hi;
			if (b > a)
				share[k][(int)who] += b - a;
		}
		who = symbol(l, e->sw.next, e->sw.next_prio, cpu);
		since = e->ts;
	}
	for (k = 0; k < COLUMNS; k++) {
		line[k] = ' ';
		for (c = 1; c < 128; c++)
			if (share[k][c] > share[k][(int)line[k]])
				line[k] = c;
	}
	line[COLUMNS] = 0;
}

static void charts(const struct evlist *l)
{
	char line[COLUMNS + 1];
	int64_t major = frame_of(f), from;
	unsigned int i;
	int c;

	/* a frame from the middle of the trace */
	from = (l->ev[0].ts + l->ev[l->nr - 1].ts) / 2;
	from -= (from - base) % major;
	printf("\nOne major frame, as planned and as it was run (%lld.%06lld s):\n\n",
	       (long long)from / SEC, (long long)from % SEC / 1000);
	ruler(major);
	for (c = 0; c < EV_CPUS; c++) {
		if (!(f->cpus[0] >> c & 1))
			continue;
		chart_planned(c, line);
		printf("CPU %-2d planned  |%s|\n", c, line);
		chart_run(l, c, from, line);
		printf("       run      |%s|\n\n", line);
	}
	for (i = 0; i < f->c.nr_partitions; i++)
		printf("%c %s  ", letter[i], name_of(f->part[i].name));
	printf("%c FIFO 99 hog  %c ordinary hog  %c idle\n", FIFO, OTHER, IDLE);
}

static void table(struct ora *o, double seconds)
{
	unsigned int i;

	printf("%-10s %18s   %-28s %-22s %s\n", "", "CPU share (%)",
	       "window opens late by (us)", "process runs after (us)", "windows");
	printf("%-10s %9s %8s   %6s %6s %6s %6s  %6s %6s %6s   %6s %6s\n", "partition",
	       "entitled", "received", "min", "median", "p99", "max", "median", "p99",
	       "max", "opened", "missed");
	for (i = 0; i < f->c.nr_partitions; i++) {
		struct ora_part *p = (struct ora_part *)ora_part(o, name_of(f->part[i].name));

		if (!p)
			continue;
		printf("%-10.10s %9.2f %8.2f   %6.1f %6.1f %6.1f %6.1f  %6.1f %6.1f %6.1f   %6llu %6llu\n",
		       name_of(f->part[i].name), 100 * entitled(i),
		       100 * p->run_ns / seconds / 1e9,
		       ora_quantile(&p->late, 0) / 1e3, ora_quantile(&p->late, 0.5) / 1e3,
		       ora_quantile(&p->late, 0.99) / 1e3, ora_quantile(&p->late, 1) / 1e3,
		       ora_quantile(&p->first, 0.5) / 1e3, ora_quantile(&p->first, 0.99) / 1e3,
		       ora_quantile(&p->first, 1) / 1e3,
		       (unsigned long long)p->windows, (unsigned long long)p->missed);
	}
}

static int demo(const char *config, double seconds)
{
	struct attr top = {
		.size = sizeof(top), .policy = SCHED_FIFO, .priority = 99,
		.flags = SCHED_FLAG_RESET_ON_FORK,
	};
	int64_t busy[2][EV_CPUS] = { };
	pid_t prog[64];
	struct evlist *l;
	struct ora *o;
	unsigned int violations;
	int c, n = 0, mod;
	size_t i;

	set_attr(0, &top);
	must((const char *[]){ "a653ctl", "load", config, NULL });
	read_config();
	printf("%s, module %s, schedule %s, major frame %g ms, %d CPUs\n\n", config,
	       name_of(f->c.module), name_of(f->sched[f->c.initial].name),
	       (double)frame_of(f) / MS, test_cpus());

	for (i = 0; i < f->c.nr_partitions; i++) {
		const char *part = name_of(f->part[i].name);
		bool last = i + 1 == f->c.nr_partitions;
		const char *const argv[] = {
			"a653ctl", "run", "-p", part, "--", "a653_demo",
			last ? "wake" : "spin", part, NULL,
		};

		/* one for each CPU on which it has a window */
		for (c = 0; c < test_cpus(); c++) {
			unsigned int w, first = conf_first_win(f, f->c.initial), has = 0;

			for (w = 0; w < f->sched[f->c.initial].nr_windows; w++)
				has |= f->win[first + w].partition == i &&
				       f->win[first + w].cpu == (unsigned int)c;
			if (!has || n == (int)ARRAY_SIZE(prog))
				continue;
			printf("%c  %s: a653ctl run -p %s -- %s\n", letter[i], part, part,
			       last ? "a loop that wakes every 4 ms" : "a loop that spins");
			prog[n++] = command(argv);
		}
	}
	trace_prepare();
	/* time for the programs to be in their partitions */
	pass(100 * MS);
	for (c = 0; c < test_cpus(); c++) {
		new_hog(SCHED_OTHER, 0, c, "hog", &other[c]);
		new_hog(SCHED_FIFO, 99, c, "hog-fifo", &fifo[c]);
	}
	printf("%c%c outside: on each CPU a SCHED_FIFO 99 hog and an ordinary one, for %g s\n\n",
	       FIFO, OTHER, seconds);
	trace_begin();
	for (c = 0; c < nr_hogs; c++)
		hog_of[c]->until = now_ns() + seconds * SEC;
	for (c = 0; c < nr_hogs; c++)
		worker_go(hog_of[c]);
	/* the hogs have the highest priority outside of partitions: this one waits */
	pass_until(hog_of[0]->until);
	l = trace_end();

	o = ora_new(l);
	mod = ora_module(o, f);
	ora_start(o, mod, f->sched[f->c.initial].name, base);
	/* every SCHED_A653 process that was seen */
	for (i = 0; i < EV_PIDS; i++) {
		int p = part_of(l, i, 0);

		if (i && p >= 0)
			ora_task(o, i, f->part[p].name, f->cpus[0], ORA_DYNAMIC);
	}
	violations = ora_run(o);
	table(o, (l->ev[l->nr - 1].ts - l->ev[0].ts) / 1e9);

	for (c = 0; c < test_cpus(); c++) {
		uint64_t since = 0;
		pid_t cur = -1;

		for (i = 0; i < l->nr; i++) {
			const struct ev *e = &l->ev[i];

			if (e->type != EV_SWITCH || e->cpu != c)
				continue;
			if (cur == other[c] || cur == fifo[c])
				busy[cur == fifo[c]][c] += e->ts - since;
			cur = e->sw.next;
			since = e->ts;
		}
	}
	printf("\nhogs received (%%): ");
	for (c = 0; c < test_cpus(); c++)
		printf(" CPU %d FIFO 99 %.1f, ordinary %.1f%s", c,
		       100.0 * busy[1][c] / (seconds * SEC), 100.0 * busy[0][c] / (seconds * SEC),
		       c + 1 < test_cpus() ? ";" : "\n");
	printf("overlap between partitions: %lld us\n",
	       (long long)ora_actual_overlap(o) / US);
	printf("violations found in %llu context switches: %u\n",
	       (unsigned long long)ora_switches(o), violations);
	if (violations)
		ora_report(o, stdout, "  ");
	charts(l);

	for (c = 0; c < n; c++)
		kill(prog[c], SIGKILL);
	for (c = 0; c < n; c++)
		waitpid(prog[c], NULL, 0);
	for (c = 0; c < nr_hogs; c++)
		worker_end(hog_of[c]);
	fflush(stdout);
	must((const char *[]){ "a653ctl", "unload", name_of(f->c.module), NULL });
	return violations || ora_actual_overlap(o) ? 1 : 0;
}

/* In a partition, under its name */
static int program(const char *what, const char *name)
{
	struct worker *w = worker_new(name, spinner);

	prctl(PR_SET_NAME, name);
	if (!strcmp(what, "spin")) {
		spinner(w);
	} else {
		w->until = INT64_MAX / 2;
		w->period = WAKE_PERIOD;
		w->work = 300 * US;
		waker(w);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && (!strcmp(argv[1], "spin") || !strcmp(argv[1], "wake")))
		return program(argv[1], argv[2]);
	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: a653_demo CONFIG [SECONDS]\n");
		return 2;
	}
	return demo(argv[1], argc > 2 ? atof(argv[2]) : 3);
}

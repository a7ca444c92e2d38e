// SPDX-License-Identifier: GPL-2.0
/*
 * a653_demo [-s SECONDS] FILE - run partitions in their windows beside hogs
 *
 * Loads the configuration FILE with a653ctl, starts a process per CPU in each
 * partition with "a653ctl run": they spin, but for the last partition's, which
 * wakes every few ms. Beside them a SCHED_FIFO 99 and an ordinary hog on each
 * CPU. Reports from a trace who ran when, and fails if that was not as planned.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "demo.h"

#define WAKE_US		"4000"

static struct demo_page *page;
static const char *self;

static void die(const char *what)
{
	fflush(stdout);
	fprintf(stderr, "a653_demo: %s: %s\n", what, strerror(errno));
	exit(1);
}

static pid_t start(const char *const argv[], bool show)
{
	pid_t pid;
	int i;

	if (show) {
		printf("$");
		for (i = 0; argv[i]; i++)
			printf(" %s", argv[i]);
		printf("\n");
	}
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(argv[0], (char *const *)argv);
		die(argv[0]);
	}
	return pid;
}

static void finish(pid_t pid, const char *what)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "a653_demo: %s failed\n", what);
		exit(1);
	}
}

static void load(struct demo *d, const char *file)
{
	const char *const argv[] = { "a653ctl", "load", file, NULL };
	struct a653_status st;
	int rc;

	if (nr_modules()) {
		fprintf(stderr, "a653_demo: a module is loaded already\n");
		exit(1);
	}
	finish(start(argv, true), argv[0]);
	rc = get_status("", &st);
	if (!rc) {
		d->f = conf_new(st.module, 0);
		d->f->c.nr_cpu_words = CONF_CPU_WORDS;
		d->f->c.nr_partitions = A653_MAX_PARTITIONS;
		d->f->c.nr_schedules = A653_MAX_SCHEDULES;
		d->f->c.nr_windows = CONF_WINDOWS;
		rc = a653_ioctl(A653_IOC_GET, &d->f->c);
	}
	errno = -rc;
	if (rc)
		die("/dev/a653");
	d->sched = st.schedule;
	d->base = st.base_ns;
	d->major = d->f->sched[d->sched].major_frame_ns;
	d->cpus = test_cpus();
}

static void unload_module(struct demo *d)
{
	const char *const argv[] = { "a653ctl", "unload", d->f->c.module, NULL };

	finish(start(argv, false), argv[0]);
}

/* CPUs on which a partition has windows */
static int nr_cpus_of(const struct demo *d, unsigned int part)
{
	unsigned int w = conf_first_win(d->f, d->sched), i;
	uint64_t cpus = 0;

	for (i = 0; i < d->f->sched[d->sched].nr_windows; i++, w++)
		if (d->f->win[w].partition == part)
			cpus |= 1ULL << d->f->win[w].cpu;
	return __builtin_popcountll(cpus);
}

static void run_in(struct demo *d, int part)
{
	const char *name = d->f->part[part].name;
	const char *const argv[] = {
		"a653ctl", "run", "-p", name, "--", self,
		d->waker[part] ? "--wake" : "--spin", name,
		d->waker[part] ? WAKE_US : NULL, NULL,
	};

	if (d->nr_tasks == DEMO_TASKS)
		return;
	d->task[d->nr_tasks].part = part;
	d->task[d->nr_tasks++].pid = start(argv, true);
}

static void run_all(struct demo *d)
{
	int fd = memfd_create("a653_demo", 0), ready, i, k, last;

	if (fd < 0 || ftruncate(fd, sizeof(*page)) || dup2(fd, DEMO_PAGE_FD) < 0)
		die("shared memory");
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		die("shared memory");
	last = d->f->c.nr_partitions - 1;
	d->waker[last] = true;
	for (i = 0; i <= last; i++)
		for (k = d->waker[i] ? 1 : nr_cpus_of(d, i); k; k--)
			run_in(d, i);
	/* in their first windows they come as far as to wait for each other */
	while ((ready = atomic_load(&page->ready)) < d->nr_tasks) {
		if (waitpid(-1, NULL, WNOHANG) > 0) {
			fprintf(stderr, "a653_demo: a653ctl run failed\n");
			exit(1);
		}
		futex_wait(&page->ready, ready, SEC);
	}
}

static void stop_all(struct demo *d)
{
	int i;

	atomic_store(&page->stop, 1);
	for (i = 0; i < d->nr_tasks; i++)
		finish(d->task[i].pid, d->f->part[d->task[i].part].name);
}

/* Keep whole major frames, from the first with all hogs in it */
static void trim(struct demo *d, int64_t from, int64_t to)
{
	struct evlist *l = d->l;
	size_t i, nr = 0;

	d->from = d->base + ((from - d->base) / d->major + 1) * d->major;
	d->to = d->base + (to - d->base) / d->major * d->major;
	for (i = 0; i < l->nr; i++)
		if ((int64_t)l->ev[i].ts >= d->from && (int64_t)l->ev[i].ts < d->to)
			l->ev[nr++] = l->ev[i];
	l->nr = nr;
}

static struct worker *new_hog(const char *name, int policy, int prio, int cpu)
{
	struct worker *w = worker_new(name, demo_hog);
	int rc;

	worker_fork(w);
	rc = set_cpus(w->pid, 1ULL << cpu) ?: set_policy(w->pid, policy, prio);
	errno = -rc;
	if (rc)
		die(name);
	return w;
}

/*
 * The SCHED_FIFO hogs let nobody else run but the partitions until they end
 * by themselves: this process too waits for that.
 */
static void record(struct demo *d, int64_t duration)
{
	struct attr fifo = {
		.size = sizeof(fifo), .policy = SCHED_FIFO, .priority = 99,
		.flags = SCHED_FLAG_RESET_ON_FORK,
	};
	int64_t from, to;
	int c;

	printf("Beside them, on each CPU, a SCHED_FIFO 99 and an ordinary hog, for %g s ...\n",
	       duration / 1e9);
	fflush(stdout);
	if (set_attr(0, &fifo))
		die("SCHED_FIFO");
	for (c = 0; c < d->cpus; c++) {
		d->hog[c] = new_hog("hog", SCHED_OTHER, 0, c);
		d->fifo[c] = new_hog("hog-fifo", SCHED_FIFO, 99, c);
	}
	trace_begin();
	futex_post(&page->go);
	from = now_ns();
	to = from + duration;
	for (c = 0; c < d->cpus; c++) {
		d->hog[c]->until = INT64_MAX;
		d->fifo[c]->until = to;
		worker_go(d->hog[c]);
		worker_go(d->fifo[c]);
	}
	pass_until(to);
	d->l = trace_end();
	/* a frame later all of them have had a window to begin in */
	trim(d, from + d->major, to);
	for (c = 0; c < d->cpus; c++) {
		worker_end(d->fifo[c]);
		worker_end(d->hog[c]);
	}
}

static void judge_by(struct demo *d)
{
	int i, mod;

	d->o = ora_new(d->l);
	mod = ora_module(d->o, d->f);
	ora_start(d->o, mod, d->f->sched[d->sched].name, d->base);
	for (i = 0; i < d->nr_tasks; i++)
		ora_task(d->o, d->task[i].pid, d->f->part[d->task[i].part].name,
			 all_cpus(), 0);
}

int main(int argc, char **argv)
{
	int64_t duration = 3 * SEC;
	struct demo d = { };
	int rc;

	self = program_invocation_short_name;
	if (argc >= 3 && !strcmp(argv[1], "--spin"))
		return work(argv[2], NULL);
	if (argc == 4 && !strcmp(argv[1], "--wake"))
		return work(argv[2], argv[3]);
	if (argc == 4 && !strcmp(argv[1], "-s")) {
		duration = atof(argv[2]) * SEC;
		argv += 2;
		argc -= 2;
	}
	if (argc != 2 || duration < SEC / 10 || duration > 60 * SEC) {
		fprintf(stderr, "Usage: a653_demo [-s SECONDS] FILE\n");
		return 2;
	}
	if (access("/dev/a653", F_OK))
		die("/dev/a653: run it in the guest (make demo)");
	load(&d, argv[1]);
	run_all(&d);
	record(&d, duration);
	stop_all(&d);
	judge_by(&d);
	rc = report(&d, account(&d));
	unload_module(&d);
	return rc;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Tests in processes of their own, and TAP: see test.h
 */
#include <dirent.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#define EXIT_SKIP	77

void (*test_setup)(void);
void (*test_cleanup)(void);
int test_timeout = 60;

static struct test *tests, **tail = &tests;
static bool failed;

void test_register(struct test *t)
{
	*tail = t;
	tail = &t->next;
}

void test_failed(bool fatal, const char *file, int line, const char *fmt, ...)
{
	const char *base = strrchr(file, '/');
	va_list ap;

	printf("# %s:%d: ", base ? base + 1 : file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	failed = true;
	if (fatal)
		_exit(1);
}

void test_note(const char *fmt, ...)
{
	va_list ap;

	printf("#   ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

void test_skip(const char *fmt, ...)
{
	va_list ap;

	printf("# skipped: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	_exit(EXIT_SKIP);
}

static int from_env(const char *name)
{
	const char *v = getenv(name);
	int n = v ? atoi(v) : 1;

	return n < 1 ? 1 : n;
}

int test_divisor(void)
{
	return from_env("A653_TEST_SCALE");
}

int test_scale(int n)
{
	/* all CPUs of an emulator share one: the more there are, the slower */
	n /= test_cpus();
	n /= test_divisor();
	return n < 1 ? 1 : n;
}

int test_stretch(void)
{
	return from_env("A653_TEST_STRETCH");
}

int test_cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* Fields of /proc/PID/stat, see proc(5); 0 where there is none */
static void read_stat(int pid, char comm[64], long field[42])
{
	char path[64], text[1024] = "", *word;
	FILE *f;
	int i;

	memset(field, 0, 42 * sizeof(*field));
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return;
	if (fgets(text, sizeof(text), f) && sscanf(text, "%*d (%63[^)]", comm) == 1) {
		word = strtok(strrchr(text, ')') + 1, " ");
		field[3] = word ? *word : 0;
		for (i = 4; i < 42 && word; i++) {
			word = strtok(NULL, " ");
			field[i] = word ? atol(word) : 0;
		}
	}
	fclose(f);
}

/* What the processes of a test that hangs are at */
static void show_processes(pid_t group)
{
	static const char *const file[4] = { "wchan", "syscall", "stack", "cgroup" };
	char path[64], line[512], comm[64];
	DIR *proc = opendir("/proc");
	long field[42];
	struct dirent *d;
	unsigned int i;
	FILE *f;
	int pid;

	while (proc && (d = readdir(proc))) {
		pid = atoi(d->d_name);
		read_stat(pid, comm, field);
		if (field[5] != group)
			continue;
		printf("# %d (%s) %c, child of %ld, on CPU %ld, policy %ld, priority %ld\n", pid,
		       comm, (char)field[3], field[4], field[39], field[41], field[40]);
		for (i = 0; i < 4; i++) {
			snprintf(path, sizeof(path), "/proc/%d/%s", pid, file[i]);
			f = fopen(path, "r");
			while (f && fgets(line, sizeof(line), f)) {
				line[strcspn(line, "\n")] = 0;
				printf("#   %s: %s\n", file[i], line);
			}
			if (f)
				fclose(f);
		}
	}
	if (proc)
		closedir(proc);
}

/* 0: passed, EXIT_SKIP, or anything else */
static int run(const struct test *t)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		return 1;
	}
	if (!pid) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (test_setup)
			test_setup();
		t->fn();
		fflush(stdout);
		_exit(failed);
	}
	setpgid(pid, pid);
	sigaction(SIGALRM, &sa, NULL);
	alarm(test_timeout);
	if (waitpid(pid, &status, 0) != pid) {
		printf("# no end after %d s\n", test_timeout);
		show_processes(pid);
		kill(-pid, SIGKILL);
		if (test_cleanup)
			test_cleanup();
		alarm(test_timeout);
		waitpid(pid, &status, 0);
		status = 1;
	}
	alarm(0);
	kill(-pid, SIGKILL);
	if (test_cleanup)
		test_cleanup();
	if (WIFSIGNALED(status))
		printf("# killed by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static bool chosen(const struct test *t, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!fnmatch(argv[i], t->name, 0))
			return true;
	return argc < 2;
}

int test_main(int argc, char **argv)
{
	int n = 0, bad = 0, rc, cpus = test_cpus();
	struct timespec from, to;
	const struct test *t;

	if (argc == 2 && !strcmp(argv[1], "-l")) {
		for (t = tests; t; t = t->next)
			puts(t->name);
		return 0;
	}
	/* Orphans of a test are ours to bury */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("TAP version 13");
	for (t = tests; t; t = t->next) {
		if (!chosen(t, argc, argv))
			continue;
		n++;
		if (cpus < t->min_cpus) {
			printf("ok %d %s # SKIP needs %d CPUs\n", n, t->name, t->min_cpus);
			continue;
		}
		clock_gettime(CLOCK_MONOTONIC, &from);
		rc = run(t);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		clock_gettime(CLOCK_MONOTONIC, &to);
		if (rc && rc != EXIT_SKIP)
			bad++;
		printf("%s %d %s%s # %.1f s\n", rc && rc != EXIT_SKIP ? "not ok" : "ok",
		       n, t->name, rc == EXIT_SKIP ? " # SKIP" : "",
		       to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9);
	}
	printf("1..%d\n", n);
	return bad ? 1 : 0;
}

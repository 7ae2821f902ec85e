// SPDX-License-Identifier: Apache-2.0
// The explorer in a terminal: pages one behind the other, and the keys that go through them.
#include <curses.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "base/array.h"
#include "cli/explore.h"
#include "cli/watch.h"

#define MAX_INPUT 256u
#define MAX_COLUMNS 1024
#define KEY_ESCAPE 27
#define KEY_DELETE 127
#define COLUMN_STEP 8u
// Rows that are no lines of the page: the title, the head of the columns, the foot.
#define ROWS_AROUND 3
#define TICK_MS 100 // between two looks at how far the check is
#define BAR 50      // columns

struct screen {
	struct inv_explorer explorer;
	struct inv_page **pages; // stb_ds, the one that is shown is the last
	char search[MAX_INPUT];
	const char *message; // at the foot until the next key; NULL: none
	struct inv_error said;
	bool done;
};

enum inv_code inv_explore_open(struct inv_session *session, struct inv_error *error)
{
	(void)session;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return inv_fail(error, INV_E_USAGE,
		                "'explore' needs a terminal; 'check', 'ps' and 'process' write the same to a file");
	(void)setlocale(LC_CTYPE, ""); // so that what is no ASCII is shown as it is
	if (!newterm(NULL, stdout, stdin))
		return inv_fail(error, INV_E_USAGE, "the terminal '%s' is not known", getenv("TERM") ? getenv("TERM") : "");
	endwin(); // what describes the terminal is read, and the terminal given back until there is something to show
	return INV_OK;
}

static void start_screen(const struct screen *screen)
{
	refresh();
	raw(); // the keys that interrupt are keys as well: the terminal is always given back
	noecho();
	keypad(stdscr, TRUE);
	set_escdelay(25);
	(void)curs_set(0);
	if (!screen->explorer.session->options->color || !has_colors())
		return;
	start_color();
	use_default_colors();
	init_pair(1, COLOR_RED, -1);
	init_pair(2, COLOR_YELLOW, -1);
	init_pair(3, COLOR_CYAN, -1);
}

// -- Drawing ----------------------------------------------------------------------------------------------------------------

static attr_t attributes_of(enum inv_look look)
{
	switch (look) {
	case INV_LOOK_HEAD:
		return A_BOLD | COLOR_PAIR(3);
	case INV_LOOK_BAD:
		return A_BOLD | COLOR_PAIR(1);
	case INV_LOOK_ODD:
		return COLOR_PAIR(2);
	case INV_LOOK_DIM:
		return A_DIM;
	case INV_LOOK_PLAIN:
		break;
	}
	return A_NORMAL;
}

// One row, from column `left` of the text on; what is no text in this locale is shown byte by byte.
static void draw_text(int row, const char *text, size_t left, attr_t attributes)
{
	wchar_t wide[MAX_COLUMNS + 1];
	size_t length = strlen(text) > left ? strlen(text) - left : 0;
	const char *from = text + (length ? left : strlen(text));
	while (((unsigned char)*from & 0xc0u) == 0x80) // the middle of a character
		from++;
	size_t count = mbstowcs(wide, from, MAX_COLUMNS);
	move(row, 0);
	attrset((int)attributes);
	if (count == (size_t)-1)
		addnstr(from, COLS);
	else
		for (size_t i = 0; i < count && getcurx(stdscr) + wcwidth(wide[i]) <= COLS && getcury(stdscr) == row; i++)
			addnwstr(&wide[i], 1);
	attrset((int)A_NORMAL);
}

static size_t rows_of_page(void)
{
	return LINES > ROWS_AROUND ? (size_t)(LINES - ROWS_AROUND) : 1;
}

static void keep_in_sight(struct inv_page *page)
{
	size_t count = inv_count(page->lines);
	size_t rows = rows_of_page();
	if (page->cursor >= count)
		page->cursor = count ? count - 1 : 0;
	if (page->cursor < page->top)
		page->top = page->cursor;
	if (page->cursor >= page->top + rows)
		page->top = page->cursor - rows + 1;
}

static void draw_bar(int row, const char *text, const char *right)
{
	int width = (int)strlen(right);
	draw_text(row, text, 0, A_REVERSE);
	attrset((int)A_REVERSE);
	while (getcury(stdscr) == row && getcurx(stdscr) < COLS - 1)
		addch(' ');
	if (COLS > width + 1)
		mvaddstr(row, COLS - width - 1, right);
	attrset((int)A_NORMAL);
}

static void draw(const struct screen *screen, struct inv_page *page)
{
	char place[64];
	keep_in_sight(page);
	erase();
	snprintf(place, sizeof place, " %zu/%zu ", inv_count(page->lines) ? page->cursor + 1 : 0, inv_count(page->lines));
	draw_bar(0, page->title, place);
	if (page->head)
		draw_text(1, page->head, page->left, attributes_of(INV_LOOK_HEAD));
	for (size_t i = 0; i < rows_of_page() && page->top + i < inv_count(page->lines); i++) {
		const struct inv_page_line *line = &page->lines[page->top + i];
		attr_t chosen = page->top + i == page->cursor ? A_REVERSE : A_NORMAL;
		draw_text((int)i + 2, line->text, page->left, attributes_of(line->look) | chosen);
	}
	const char *foot =
	    "Enter open  Esc back  / search  d structure  m memory  1 processes  2 findings  3 report  ? help";
	if (screen->message)
		foot = screen->message;
	else if (page->cursor < inv_count(page->lines) && page->lines[page->cursor].note)
		foot = page->lines[page->cursor].note;
	draw_text(LINES - 1, foot, 0, A_BOLD);
	refresh();
}

// Asks for a line at the foot; false when the person thought better of it.
static bool ask(const char *question, char answer[MAX_INPUT])
{
	size_t length = 0;
	answer[0] = 0;
	(void)curs_set(1);
	for (;;) {
		move(LINES - 1, 0);
		clrtoeol();
		printw("%s%s", question, answer);
		int key = getch();
		if (key == KEY_ESCAPE || key == 3 || key == ERR) {
			length = 0;
			break;
		}
		if (key == '\n' || key == '\r' || key == KEY_ENTER)
			break;
		if ((key == KEY_BACKSPACE || key == KEY_DELETE || key == '\b') && length > 0)
			answer[--length] = 0;
		else if (key >= ' ' && key < KEY_DELETE && length + 1 < MAX_INPUT)
			answer[length++] = (char)key;
		answer[length] = 0;
	}
	answer[length] = 0;
	(void)curs_set(0);
	return length > 0;
}

// -- Going through pages ----------------------------------------------------------------------------------------------------

static struct inv_page *shown(const struct screen *screen)
{
	return screen->pages[inv_count(screen->pages) - 1];
}

static void open_page(struct screen *screen, struct inv_page *page)
{
	if (page)
		inv_push(screen->pages, page);
}

static void go_back(struct screen *screen)
{
	if (inv_count(screen->pages) > 1)
		inv_page_free(stbds_arrpop(screen->pages));
}

// A page of the first rank takes the place of all others.
static void start_over(struct screen *screen, struct inv_page *page)
{
	while (inv_count(screen->pages) > 0)
		inv_page_free(stbds_arrpop(screen->pages));
	inv_push(screen->pages, page);
}

// Whose memory is meant by the page, or by the line that is chosen on it.
static const struct inv_dossier *process_meant(const struct screen *screen)
{
	const struct inv_page *page = shown(screen);
	const struct inv_page_line *line = page->cursor < inv_count(page->lines) ? &page->lines[page->cursor] : NULL;
	if (!page->process && line && line->leads == INV_LEADS_TO_PROCESS)
		return inv_dossier_at(&screen->explorer.check->dossiers, line->address);
	return page->process;
}

static void open_structure(struct screen *screen, const char *type, uint64_t address)
{
	screen->said = (struct inv_error){0};
	open_page(screen, inv_page_structure(&screen->explorer, process_meant(screen), type, address, &screen->said));
	if (screen->said.code != INV_OK)
		screen->message = screen->said.text;
}

static void follow(struct screen *screen)
{
	const struct inv_page *page = shown(screen);
	if (page->cursor >= inv_count(page->lines))
		return;
	const struct inv_page_line *line = &page->lines[page->cursor];
	const struct inv_dossier *process;
	switch (line->leads) {
	case INV_LEADS_TO_PROCESS:
		process = inv_dossier_at(&screen->explorer.check->dossiers, line->address);
		if (process)
			open_page(screen, inv_page_dossier(&screen->explorer, process));
		break;
	case INV_LEADS_TO_FINDING:
		open_page(screen, inv_page_finding(&screen->explorer, line->finding));
		break;
	case INV_LEADS_TO_STRUCTURE:
		open_structure(screen, line->type, line->address);
		break;
	case INV_LEADS_TO_MEMORY:
		open_page(screen, inv_page_memory(&screen->explorer, page->process, line->address));
		break;
	case INV_LEADS_NOWHERE:
		screen->message = "this line leads nowhere";
		break;
	}
}

static void ask_for_structure(struct screen *screen)
{
	char answer[MAX_INPUT];
	uint64_t address;
	if (!ask("structure (TYPE[.PATH] ADDRESS): ", answer))
		return;
	char *space = strchr(answer, ' ');
	if (!space || !inv_parse_address(space + 1 + strspn(space + 1, " "), &address)) {
		screen->message = "a type and an address are needed: _EPROCESS 0xffffe28c1a2b3080";
		return;
	}
	*space = 0;
	open_structure(screen, answer, address);
}

static void ask_for_memory(struct screen *screen)
{
	char answer[MAX_INPUT];
	uint64_t address;
	if (!ask("memory at: ", answer))
		return;
	if (inv_parse_address(answer, &address))
		open_page(screen, inv_page_memory(&screen->explorer, process_meant(screen), address));
	else
		screen->message = "that is no address; they are hexadecimal, with 0x";
}

static void turn_memory(struct screen *screen, bool back)
{
	struct inv_page *page = shown(screen);
	if (!page->is_memory)
		return;
	uint64_t address = back ? page->memory - INV_PAGE_OF_MEMORY : page->memory + INV_PAGE_OF_MEMORY;
	struct inv_page *turned = inv_page_memory(&screen->explorer, page->process, address);
	turned->cursor = page->cursor;
	turned->top = page->top;
	inv_page_free(stbds_arrpop(screen->pages));
	inv_push(screen->pages, turned);
}

static void search(struct screen *screen, bool anew, bool back)
{
	struct inv_page *page = shown(screen);
	char answer[MAX_INPUT];
	if (anew && ask("/", answer))
		memcpy(screen->search, answer, sizeof answer);
	if (!screen->search[0])
		return;
	size_t found = inv_page_find(page, screen->search, back ? page->cursor : page->cursor + (anew ? 0 : 1), back);
	if (found == SIZE_MAX)
		screen->message = "not found";
	else
		page->cursor = found;
}

// -- Keys -------------------------------------------------------------------------------------------------------------------

static bool moves(struct inv_page *page, int key)
{
	size_t rows = rows_of_page();
	switch (key) {
	case KEY_UP:
	case 'k':
		page->cursor -= page->cursor > 0;
		return true;
	case KEY_DOWN:
	case 'j':
		page->cursor++;
		return true;
	case KEY_PPAGE:
		page->cursor -= page->cursor < rows ? page->cursor : rows;
		return true;
	case KEY_NPAGE:
	case ' ':
		page->cursor += rows;
		return true;
	case KEY_HOME:
	case 'g':
		page->cursor = 0;
		return true;
	case KEY_END:
	case 'G':
		page->cursor = inv_count(page->lines);
		return true;
	case KEY_LEFT:
	case 'h':
		page->left -= page->left < COLUMN_STEP ? page->left : COLUMN_STEP;
		return true;
	case KEY_RIGHT:
	case 'l':
		page->left += COLUMN_STEP;
		return true;
	default:
		return false;
	}
}

static void act(struct screen *screen, int key)
{
	switch (key) {
	case '1':
		start_over(screen, inv_page_processes(&screen->explorer));
		break;
	case '2':
		start_over(screen, inv_page_findings(&screen->explorer));
		break;
	case '3':
		start_over(screen, inv_page_report(&screen->explorer));
		break;
	case '\n':
	case '\r':
	case KEY_ENTER:
		follow(screen);
		break;
	case '/':
		search(screen, true, false);
		break;
	case 'n':
		search(screen, false, false);
		break;
	case 'N':
		search(screen, false, true);
		break;
	case 'd':
		ask_for_structure(screen);
		break;
	case 'm':
		ask_for_memory(screen);
		break;
	case '[':
	case ']':
		turn_memory(screen, key == '[');
		break;
	case '?':
		open_page(screen, inv_page_help(&screen->explorer));
		break;
	case 'q':
		screen->done = inv_count(screen->pages) == 1;
		go_back(screen);
		break;
	case KEY_ESCAPE:
	case KEY_BACKSPACE:
	case KEY_DELETE:
	case '\b':
		go_back(screen);
		break;
	case 'Q':
	case 3:   // Ctrl-C
	case ERR: // the terminal is gone
		screen->done = true;
		break;
	default:
		break;
	}
}

// -- While the check runs --------------------------------------------------------------------------------------------------

struct work {
	const struct inv_kernel *kernel;
	struct inv_check_options how;
	struct inv_check *check;
	atomic_bool over;
};

static void *check_all(void *argument)
{
	struct work *work = argument;
	work->check = inv_check_run(work->kernel, &work->how);
	atomic_store(&work->over, true);
	return NULL;
}

static void draw_bar_of(int row, const struct inv_progress_state *state)
{
	char bar[BAR + 3] = "[";
	if (state->total == 0 || row >= LINES - 1)
		return;
	uint64_t done = state->done < state->total ? state->done : state->total;
	unsigned filled = (unsigned)((double)done / (double)state->total * BAR);
	memset(bar + 1, '.', BAR);
	memset(bar + 1, '#', filled < BAR ? filled : BAR);
	bar[BAR + 1] = ']';
	draw_text(row, bar, 0, A_NORMAL);
}

static void draw_progress(const char *image, const struct inv_progress_state *state, double elapsed, bool stopping)
{
	char told[INV_WATCH_LINE];
	char line[INV_WATCH_LINE + 32];
	unsigned current = inv_step_of(state->phase);
	erase();
	snprintf(line, sizeof line, "%s", image);
	draw_bar(0, line, " the check runs ");
	inv_watch_describe(told, state, elapsed);
	for (unsigned step = 1; step <= INV_STEPS && (int)step < LINES - 2; step++) {
		snprintf(line, sizeof line, "%s  %u/%u %s%s%s",
		         step < current    ? "done"
		         : step == current ? " now"
		                           : "    ",
		         step, INV_STEPS, inv_step_name(step), step == current ? ": " : "", step == current ? told : "");
		draw_text((int)step + 1, line, 0, step == current ? A_BOLD : step < current ? A_NORMAL : A_DIM);
	}
	draw_bar_of(INV_STEPS + 3, state);
	draw_text(LINES - 1,
	          stopping ? "it stops, and what was found so far is shown; q once more ends at once"
	                   : "q stops it and shows what was found so far",
	          0, A_BOLD);
	refresh();
}

// The next key; 0: none came for a moment. ERR: the terminal is gone.
static int key_soon(void)
{
	struct pollfd terminal = {.fd = STDIN_FILENO, .events = POLLIN};
	bool readable = poll(&terminal, 1, TICK_MS) > 0;
	int key = getch();
	return key == ERR && !readable ? 0 : key;
}

static _Noreturn void end_at_once(void)
{
	endwin();
	fputs("invar: interrupted\n", stderr);
	fflush(stderr);
	_exit(INV_EXIT_STOPPED); // whoever works still is not waited for
}

// Shows how far it is until it is over. The first key that ends asks it to stop, the second does not wait for that.
static void watch_work(const struct inv_session *session, struct work *work)
{
	struct inv_progress *progress = inv_watch_progress(session->watch);
	int last = -1;
	double since = 0;
	nodelay(stdscr, TRUE);
	while (!atomic_load(&work->over)) {
		struct inv_progress_state state = inv_progress_look(progress);
		if ((int)state.phase != last) {
			last = (int)state.phase;
			since = inv_watch_now();
		}
		draw_progress(session->options->arguments[0], &state, inv_watch_now() - since, inv_progress_stopped(progress));
		int key = key_soon();
		bool ends = key == 'q' || key == 'Q' || key == 3;
		if (key == ERR || (ends && inv_progress_stopped(progress)))
			end_at_once();
		if (ends)
			inv_progress_stop(progress);
	}
	nodelay(stdscr, FALSE);
}

static struct inv_check *run_check(const struct inv_session *session)
{
	pthread_t thread;
	struct work work = {.kernel = session->kernel,
	                    .how = {.judged = true, .swept = true, .threads = session->options->threads}};
	if (pthread_create(&thread, NULL, check_all, &work) != 0) {
		check_all(&work);
		return work.check;
	}
	watch_work(session, &work);
	pthread_join(thread, NULL);
	return work.check;
}

enum inv_exit inv_run_explore(struct inv_session *session, struct inv_error *error)
{
	(void)error;
	struct screen screen = {.explorer = {.session = session}};
	start_screen(&screen);
	screen.explorer.check = run_check(session);
	enum inv_exit status = screen.explorer.check->cut_short ? INV_EXIT_STOPPED : INV_EXIT_OK;
	screen.message = screen.explorer.check->cut_short;
	start_over(&screen, inv_page_processes(&screen.explorer));
	while (!screen.done) {
		draw(&screen, shown(&screen));
		int key = getch();
		screen.message = NULL;
		if (!moves(shown(&screen), key))
			act(&screen, key);
	}
	endwin();
	while (inv_count(screen.pages) > 0)
		inv_page_free(stbds_arrpop(screen.pages));
	inv_array_free(screen.pages);
	inv_check_free(screen.explorer.check);
	return status;
}

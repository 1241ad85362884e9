# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2207,SC2001 # completions are words
#
# cth.bash - completes the command line of cth and of its links. What there is the program is asked
# for: so these are the applets, protocols and options of the very program that is about to run.

# _cth_applets PROGRAM: "helper add", one on a line; without cth in front.
_cth_applets() {
	"$1" help 2>/dev/null | sed -nE 's/^  cth ([a-z]+( [a-z]+)?) +[A-Z].*/\1/p'
}

# _cth_options COMMAND...: "-q --queue NUMBER", one option on a line; "-" where it has no letter, or
# no long form, and nothing for an argument that it does not take.
_cth_options() {
	"$@" --help 2>/dev/null | sed -nE \
		-e 's/^ +(-[A-Za-z0-9]), (-[A-Za-z0-9]) ([A-Z]+) .*/\1 - \3\n\2 - \3/p' \
		-e 's/^ +(-[A-Za-z0-9]), (--[a-z][a-z0-9-]*)( ([^ ]+))? .*/\1 \2 \4/p' \
		-e 's/^ +(--[a-z][a-z0-9-]*)( ([^ ]+))? .*/- \1 \3/p'
}

# _cth_argument KIND: of an option, as its help calls it.
_cth_argument() {
	local word=${COMP_WORDS[COMP_CWORD]}
	case $1 in
	FILE | PATH* | DIR)
		compopt -o filenames 2>/dev/null
		COMPREPLY=($(compgen -f -- "$word"))
		;;
	USER) COMPREPLY=($(compgen -u -- "$word")) ;;
	NAME) COMPREPLY=($(compgen -W "$(ls /run/netns 2>/dev/null)" -- "$word")) ;; # --netns
	*[A-Z]*) ;;
	*'|'*) COMPREPLY=($(compgen -W "${1//|/ }" -- "$word")) ;;
	esac
}

# _cth_operand USAGE: what stands behind the options.
_cth_operand() {
	local word=${COMP_WORDS[COMP_CWORD]}
	case $1 in
	*PROTOCOL*)
		COMPREPLY=($(compgen -W "$("$program" run --list 2>/dev/null | sed 's/ .*//')" -- "$word"))
		;;
	FILE* | *' FILE'* | *SOCKET*) _cth_argument FILE ;;
	*NAME*)
		COMPREPLY=($(compgen -W "$("$program" helper list 2>/dev/null | sed 's/ .*//')" -- "$word"))
		;;
	esac
}

_cth() {
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command first second applets letter long argument
	COMPREPLY=()
	case ${program##*/} in
	nf*) command=("$program") ;;
	*)
		applets=$(_cth_applets "$program")
		first=1
		# Words in front of an applet, that lead to another one.
		[ "${COMP_WORDS[1]-}" != help ] || first=2
		[ "${COMP_WORDS[1]-}" != record ] || [ "$COMP_CWORD" -lt 3 ] || first=3
		second=${COMP_WORDS[first + 1]-}
		if [ "$COMP_CWORD" -eq "$first" ]; then
			COMPREPLY=($(compgen -W "$(sed 's/ .*//' <<<"$applets" | sort -u) help --help --version" \
				-- "$word"))
			return
		fi
		if [ "$COMP_CWORD" -eq $((first + 1)) ] && [[ $word != -* ]]; then
			COMPREPLY=($(compgen -W "$(sed -n "s/^${COMP_WORDS[first]} //p" <<<"$applets")" -- "$word"))
			[ ${#COMPREPLY[@]} -eq 0 ] || return
		fi
		command=("$program" "${COMP_WORDS[first]}")
		! grep -qx -- "${COMP_WORDS[first]} $second" <<<"$applets" || command+=("$second")
		;;
	esac
	if [[ $word == -* ]]; then
		COMPREPLY=($(compgen -W "$(_cth_options "${command[@]}" | cut -d ' ' -f 1,2 | tr ' ' '\n' |
			grep -vx -- -)" -- "$word"))
		return
	fi
	if [[ $before == -* ]]; then
		while read -r letter long argument; do
			if [ "$before" = "$letter" ] || [ "$before" = "$long" ]; then
				[ -n "$argument" ] || break
				_cth_argument "$argument"
				return
			fi
		done < <(_cth_options "${command[@]}")
	fi
	_cth_operand "$("${command[@]}" --help 2>/dev/null | sed -n "1s/^usage: ${command[*]##*/} //p")"
}

complete -F _cth cth nfct-helper-add nfct-helper-get nfct-helper-del nfqnl_test

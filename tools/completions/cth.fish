# SPDX-License-Identifier: MIT
#
# cth.fish - completes the command line of cth and of its links. What there is the program is asked
# for: so these are the applets, protocols and options of the very program that is about to run.

# __cth_options COMMAND...: "--queue NUMBER <tab> what it is for", one option on a line.
function __cth_options
    $argv --help 2>/dev/null | string replace -r -f \
        '^ +(?:(-\w), )?(-\w|--[a-z][a-z0-9-]*)(?: (\S+))?(?: +(.*))?$' '$1 $2 $3\t$4'
end

function __cth_argument # KIND
    switch $argv[1]
        case FILE 'PATH*' DIR
            __fish_complete_path (commandline -ct)
        case USER
            __fish_complete_users
        case NAME # --netns
            path basename /run/netns/* 2>/dev/null
        case '*|*'
            string match -q -r '[A-Z]' -- $argv[1]; or string split '|' -- $argv[1]
    end
end

function __cth_operand # PROGRAM USAGE
    switch $argv[2]
        case '*PROTOCOL*'
            $argv[1] run --list 2>/dev/null | string replace -r ' .*' ''
        case 'FILE*' '* FILE*' '*SOCKET*'
            __fish_complete_path (commandline -ct)
        case '*NAME*'
            $argv[1] helper list 2>/dev/null | string replace -r ' .*' ''
    end
end

function __cth
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l before $words[-1]
    set -l command $words[1]
    if not string match -q 'nf*' -- (path basename $command)
        set -e words[1]
        # Words in front of an applet, that lead to another one.
        test "$words[1]" = help; and set -e words[1]
        test "$words[1]" = record; and set -q words[2]; and set -e words[1..2]
        set -l applets ($command help 2>/dev/null |
            string replace -r -f '^  cth ([a-z]+(?: [a-z]+)?) +([A-Z].*)' '$1\t$2')
        if not set -q words[1]
            string replace -r ' .*' '' -- (string replace -r '\t.*' '' -- $applets) | sort -u
            printf '%s\n' help --help --version
            return
        end
        set -l verbs (string replace -r -f "^$words[1] " '' -- $applets)
        if not set -q words[2]; and not string match -q -- '-*' $word; and set -q verbs[1]
            printf '%s\n' $verbs
            return
        end
        set command $command $words[1]
        set -q words[2]; and string match -q -r "^$words[2]\t" -- $verbs
        and set command $command $words[2]
    end
    set -l options (__cth_options $command)
    if string match -q -- '-*' $word
        for line in $options
            set -l part (string split -m 1 \t -- $line)
            for option in (string match -a -r -- '(?<!\S)-\S+' $part[1])
                printf '%s\t%s\n' $option $part[2]
            end
        end
        return
    end
    for line in $options
        set -l part (string split ' ' -- (string split -f 1 \t -- $line))
        if contains -- $before $part[1..2]; and test -n "$part[3]"
            __cth_argument $part[3]
            return
        end
    end
    __cth_operand $command[1] ($command --help 2>/dev/null | string replace -r -f '^usage: ' '')
end

for command in cth nfct-helper-add nfct-helper-get nfct-helper-del nfqnl_test
    complete -c $command -f -a '(__cth)'
end

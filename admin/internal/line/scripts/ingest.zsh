#compdef ingest
# Completion of ingest for zsh. To have it in every shell: echo 'source <(ingest completion zsh)' >> ~/.zshrc
# (behind `autoload -Uz compinit && compinit`), or store this as _ingest in a directory of $fpath.

_ingest() {
    local line tab=$'\t'
    local -a lines values shown
    local -i width=0
    lines=("${(@f)$(${(Q)~words[1]} __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    for line in $lines; do
        case $line in
        :file) compset -P '--*='; _files; return ;;
        :directory) compset -P '--*='; _files -/; return ;;
        esac
        values+=("${line%%$tab*}")
        (( $#values[-1] > width )) && width=$#values[-1]
    done
    (( $#values )) || return 1
    # -V keeps the order of the program: newest runs first. Not _describe, which puts those that read alike together.
    if [[ $lines[1] != *$tab* ]]; then
        compadd -V ingest -a values
        return
    fi
    for line in $lines; do
        line="${(r:width:)${line%%$tab*}}  -- ${line#*$tab}"
        shown+=("${line[1,COLUMNS-1]}")
    done
    compadd -l -V ingest -d shown -a values
}

if [[ $funcstack[1] == _ingest ]]; then
    _ingest "$@"
elif (( $+functions[compdef] )); then
    compdef _ingest ingest
fi

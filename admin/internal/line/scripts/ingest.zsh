#compdef ingest
# Completion of ingest for zsh. To have it in every shell: echo 'source <(ingest completion zsh)' >> ~/.zshrc
# (behind `autoload -Uz compinit && compinit`), or store this as _ingest in a directory of $fpath.

_ingest() {
    local line value tab=$'\t'
    local -a lines found
    lines=("${(@f)$(${(Q)~words[1]} __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    for line in $lines; do
        case $line in
        :file) compset -P '--*='; _files; return ;;
        :directory) compset -P '--*='; _files -/; return ;;
        esac
        value=${${line%%$tab*}//:/\\:}
        [[ $line == *$tab* ]] && value+=":${line#*$tab}"
        found+=("$value")
    done
    # -V keeps the order of the program: newest runs first.
    (( $#found )) && _describe -V ingest found
}

if [[ $funcstack[1] == _ingest ]]; then
    _ingest "$@"
elif (( $+functions[compdef] )); then
    compdef _ingest ingest
fi

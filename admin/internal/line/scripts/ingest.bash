# Completion of ingest for bash. To have it in every shell: echo 'source <(ingest completion bash)' >> ~/.bashrc

_ingest() {
    local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} before="" line i glue=""
    local words=()
    program=${program/#\~/$HOME}

    # bash splits words at = and :, the program wants them as they were typed.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        if [[ ${#words[@]} -gt 0 && ( -n $glue || ${COMP_WORDS[i]} =~ ^[=:]+$ ) ]]; then
            words[${#words[@]} - 1]+=${COMP_WORDS[i]}
        else
            words+=("${COMP_WORDS[i]}")
        fi
        glue=""
        [[ ${COMP_WORDS[i]} =~ ^[=:]+$ ]] && glue=yes
    done
    [[ $current =~ ^[=:]+$ ]] && current=""
    # What bash keeps before the part that it replaces.
    before=${words[${#words[@]} - 1]}
    before=${before:0:${#before} - ${#current}}

    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
        :file | :directory)
            compopt -o filenames 2>/dev/null
            current=${current#--*=}
            while IFS= read -r i; do COMPREPLY+=("$i"); done < <(
                if [[ $line == :file ]]; then compgen -f -- "$current"; else compgen -d -- "$current"; fi
            )
            ;;
        *)
            line=${line%%$'\t'*}
            COMPREPLY+=("${line#"$before"}")
            ;;
        esac
    done < <("$program" __complete "${words[@]}" 2>/dev/null)
}

# The order is the program's, newest runs first; an old bash sorts.
complete -o nosort -F _ingest ingest 2>/dev/null || complete -F _ingest ingest

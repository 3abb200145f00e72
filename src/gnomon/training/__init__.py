"""Row 2: text in, models out: tokenizer, adopt, pack, pretrain, midtrain, continued pre-training, embedder tuning."""
